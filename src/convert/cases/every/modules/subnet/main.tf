terraform {
  required_providers {
    acme = { source = "example/acme" }
  }
}

variable "name" {
  type        = string
  description = "Its name."
}

variable "parent" {
  type = string
}

variable "options" {
  type = object({
    size = optional(number, 1)
  })
  default = {}
}

variable "enabled" {
  type    = bool
  default = true
}

resource "acme_network" "this" {
  name    = var.name
  size    = var.options.size
  enabled = var.enabled
  tags    = { Parent = var.parent }
}

output "name" {
  description = "The name that it got."
  value       = acme_network.this.name
}
