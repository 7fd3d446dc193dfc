variable "region" {
  description = "Where everything is."
  type        = string
  default     = "eu-west-1"
}

variable "environment" {
  type    = string
  default = "test"

  validation {
    condition     = contains(["test", "prod"], var.environment)
    error_message = "The environment is test or prod."
  }
}

variable "prefix" {
  type = string
}

variable "ports" {
  type    = list(number)
  default = [80, 443]
}

variable "subnets" {
  type = map(object({
    name   = string
    cidr   = optional(string)
    public = optional(bool, false)
  }))
  default = {}
}

variable "password" {
  type      = string
  sensitive = true
}
