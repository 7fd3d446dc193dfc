variable "aws_region" {
  description = "The region that everything is in."
  type        = string
  default     = "us-east-1"
}

variable "project" {
  description = "The first part of every name."
  type        = string
  default     = "mlops-platform"
}

variable "environment" {
  description = "The second part of every name."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "The environment is dev, staging or prod."
  }
}

variable "vpc_cidr" {
  description = "The addresses of the VPC. Each subnet gets a 256th of them."
  type        = string
  default     = "10.0.0.0/16"
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones, or one a zone."
  type        = bool
  default     = true
}

variable "eks_cluster_version" {
  description = "The Kubernetes version of control plane and nodes."
  type        = string
  default     = "1.28"
}

variable "nodes" {
  description = "The nodes of the cluster."
  type = object({
    instance_types = optional(list(string), ["t3.medium"])
    spot           = optional(bool, false)
    desired        = number
    min            = number
    max            = number
  })

  validation {
    condition     = var.nodes.min <= var.nodes.desired && var.nodes.desired <= var.nodes.max
    error_message = "The desired number of nodes lies between the least and the most."
  }
}

variable "log_retention_days" {
  description = "How long the control plane's logs are kept."
  type        = number
  default     = 30
}

variable "backups" {
  description = "Whether every version of all buckets is kept."
  type        = bool
  default     = false
}

variable "force_destroy" {
  description = "Whether buckets and images may be deleted with everything in them."
  type        = bool
  default     = false
}

variable "extra_tags" {
  description = "More tags for every object."
  type        = map(string)
  default     = {}
}
