# What needs no provider: values on their way from variables through locals, modules and resources to outputs.

variable "stage" {
  type    = string
  default = "test"
}

variable "sizes" {
  description = "Sizes by name."
  type        = map(number)
  default     = { small = 1, large = 10 }
}

variable "people" {
  type = list(object({
    name  = string
    email = optional(string)
    admin = optional(bool, false)
  }))
  default = [
    { name = "ada", email = "ada@example.com" },
    { name = "grace", admin = true },
  ]
}

variable "token" {
  type      = string
  default   = "t0k3n"
  sensitive = true
}

locals {
  admins  = [for person in var.people : person.name if person.admin]
  emails  = { for person in var.people : person.name => coalesce(person.email, "${person.name}@example.org") }
  by_role = { for person in var.people : (person.admin ? "admin" : "user") => person.name... }
  largest = max(values(var.sizes)...)
  matrix  = { for pair in setproduct(["a", "b"], [1, 2]) : "${pair[0]}${pair[1]}" => pair[1] }
  pairs   = flatten([for name, size in var.sizes : [for index in range(2) : { key = "${name}-${index}", size = size }]])
}

resource "terraform_data" "root" {
  input            = { stage = var.stage, largest = local.largest }
  triggers_replace = [var.stage, tostring(local.largest)]
}

resource "terraform_data" "counted" {
  count = length(var.people)
  input = "${count.index}: ${var.people[count.index].name}"
}

resource "terraform_data" "sized" {
  for_each = var.sizes
  input    = format("%s=%d", each.key, each.value)

  lifecycle {
    replace_triggered_by = [terraform_data.root]
  }
}

resource "terraform_data" "paired" {
  for_each = { for pair in local.pairs : pair.key => pair.size }
  input    = each.value
}

resource "terraform_data" "maybe" {
  count = var.stage == "prod" ? 1 : 0
  input = "only in production"
}

resource "terraform_data" "secret" {
  input = { token = var.token, stage = var.stage }
}

# An object that exists: `terraform_data` takes any id for one.
resource "terraform_data" "existing" {
  input = "here before"
}

import {
  to = terraform_data.existing
  id = "7d444840-9dc0-11d1-b245-5ffdce74fad2"
}

resource "terraform_data" "after" {
  input      = terraform_data.root.output
  depends_on = [terraform_data.counted, module.leaf]
}

module "leaf" {
  source = "./modules/leaf"

  name   = "one"
  parent = terraform_data.root.id
}

module "leaves" {
  source   = "./modules/leaf"
  for_each = toset(["x", "y"])

  name   = each.key
  parent = module.leaf.id
  labels = { stage = var.stage }
}

module "numbered" {
  source = "./modules/leaf"
  count  = 2

  name = "number ${count.index}"
}

check "stage" {
  assert {
    condition     = contains(["test", "prod"], var.stage)
    error_message = "The stage is test or prod."
  }
}

output "admins" {
  value = local.admins
}

output "emails" {
  value = local.emails
}

output "by_role" {
  value = local.by_role
}

output "matrix" {
  value = local.matrix
}

output "counted" {
  value = terraform_data.counted[*].input
}

output "counted_ids" {
  value = terraform_data.counted[*].id
}

output "maybe" {
  value = one(terraform_data.maybe[*].id)
}

output "sized" {
  value = { for name, data in terraform_data.sized : name => data.input }
}

output "leaf" {
  value = module.leaf.title
}

output "leaves" {
  value = { for name, leaf in module.leaves : name => leaf.title }
}

output "numbered" {
  value = module.numbered[*].title
}

output "token" {
  value     = "token ${var.token}"
  sensitive = true
}

output "digest" {
  value = nonsensitive(sha256(var.token))
}

output "text" {
  value = <<-EOT
    Stage ${var.stage}:
    %{for name, size in var.sizes~}
    - ${name} is ${size >= 10 ? "large" : "small"}
    %{endfor~}
  EOT
}

output "numbers" {
  value = [ceil(1.5), floor(-1.5), 7 % 3, pow(2, 10), parseint("ff", 16), signum(-3), 1 / 4]
}

output "texts" {
  value = [
    title("hello world"),
    replace("a-b-c", "-", "_"),
    regex("[a-z]+", "12ab"),
    join(",", reverse(split(".", "a.b.c"))),
    substr("terrane", 0, 5),
    trimprefix("v1.2", "v"),
    format("%05.1f|%-4s|%q", 2.71, "ab", "q"),
    cidrhost("10.0.0.0/24", 5),
    base64encode("hello"),
    jsonencode({ b = [1, true, null], a = "x" }),
    yamlencode({ a = ["x"], b = { c = 1 } }),
  ]
}

output "collections" {
  value = {
    chunk    = chunklist(["a", "b", "c"], 2)
    compact  = compact(["a", "", "b"])
    distinct = distinct(["a", "b", "a"])
    element  = element(["a", "b"], 3)
    index    = index(["a", "b"], "b")
    keys     = keys(var.sizes)
    lookup   = lookup(var.sizes, "huge", 100)
    merged   = merge(var.sizes, { small = 2 })
    nested   = try(var.people[5].name, "nobody")
    set      = setintersection(["a", "b"], ["b", "c"])
    slice    = slice(["a", "b", "c"], 1, 3)
    sorted   = sort(["b", "a"])
    sum      = sum(values(var.sizes))
    zipped   = zipmap(["a", "b"], [1, 2])
  }
}
