# One leaf of the tree.

variable "name" {
  type = string
}

variable "parent" {
  type    = string
  default = null
}

variable "labels" {
  type    = map(string)
  default = {}
}

resource "terraform_data" "this" {
  input = {
    name   = var.name
    parent = var.parent
    labels = merge({ name = var.name }, var.labels)
  }
}

output "id" {
  description = "The id of the leaf."
  value       = terraform_data.this.id
}

output "title" {
  value = upper(var.name)
}
