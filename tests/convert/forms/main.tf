# Every form that a schema has: attributes of each type, blocks of each nesting, in both protocols, by a provider on HashiCorp's libraries.

terraform {
  required_providers {
    conformance = {
      source = "terrane/conformance"
    }
    six = {
      source = "terrane/conformance6"
    }
  }
}

variable "rules" {
  type = map(object({
    port = number
    cidr = optional(string, "0.0.0.0/0")
  }))
  default = {
    web  = { port = 80 }
    data = { port = 5432, cidr = "10.0.0.0/8" }
  }
}

variable "password" {
  type      = string
  default   = "hunter2"
  sensitive = true
}

locals {
  tags = { Team = "net", Stage = "test" }
}

# Blocks and simple types, by the older library.
resource "conformance_sdk_thing" "old" {
  name    = "old"
  enabled = true
  ratio   = 0.5
  size    = 3
  zones   = ["b", "a"]
  tags    = merge(local.tags, { Name = "old" })
  secret  = var.password
  policy  = jsonencode({ Version = 1, Allow = ["read"] })

  disk {
    medium = "ssd"
    size   = 10
  }

  dynamic "rule" {
    for_each = var.rules
    content {
      port = rule.value.port
      cidr = rule.value.cidr
    }
  }

  ingress = [{
    cidr        = "10.0.0.0/8"
    description = "inside"
    port        = 22
  }]

  timeouts {
    create = "5m"
  }
}

# A dynamic value, an object, a list of numbers, a set of blocks, by the newer library.
resource "conformance_thing" "new" {
  name     = "new-${conformance_sdk_thing.old.id}"
  amount   = 123456789012345678901234567890
  anything = { list = ["a", 1, true], nothing = null }
  endpoint = { host = "example.com", port = 443 }
  ports    = [for rule in var.rules : rule.port]
  zones    = toset(["a", "b"])
  tags     = local.tags
  secret   = var.password

  disk {
    medium = "hdd"
    size   = 20
  }

  dynamic "rule" {
    for_each = var.rules
    iterator = it
    content {
      port = it.value.port
      cidr = it.value.cidr
    }
  }
}

# Attributes with attributes, which only the newer protocol has.
resource "conformance_thing" "nested" {
  provider = six
  for_each = toset(["a", "b"])

  name   = each.key
  list   = [for port in [1, 2] : { port = port, note = "port ${port}" }]
  map    = { for name, rule in var.rules : name => { port = rule.port } }
  set    = [{ port = 1 }, { port = 2, note = each.key }]
  chosen = { zone = "z-${each.key}" }

  single = {
    kind   = "one"
    secret = var.password
    inner  = [{ port = 3 }]
  }

  timeouts = {
    create = "1m"
  }
}

# Blocks of collections that the provider decides: unknown, or as many as it has said by then.
resource "conformance_thing" "later" {
  name = "later"

  disk {
    medium = "ssd"
    size   = 1
  }

  dynamic "disk" {
    for_each = try([data.conformance_lookup.now.output], [])
    content {
      medium = disk.value.key
      size   = disk.key + 2
    }
  }

  dynamic "rule" {
    for_each = try([{ cidr = conformance_sdk_thing.old.label }], [])
    content {
      port = rule.key
      cidr = rule.value.cidr
    }
  }
}

# Read while planning.
data "conformance_lookup" "now" {
  input = { key = "value", list = [1, 2] }
}

# Read when what it needs exists.
data "conformance_sdk_lookup" "later" {
  name  = conformance_thing.new.name
  input = "x"
}

output "arns" {
  value = { for key, thing in conformance_thing.nested : key => thing.arn }
}

output "now" {
  value = data.conformance_lookup.now.output
}

output "later" {
  value = data.conformance_sdk_lookup.later.found
}

output "label" {
  value = conformance_sdk_thing.old.label
}

output "ports" {
  value = sort([for rule in conformance_sdk_thing.old.rule : tostring(rule.port)])
}

output "secret" {
  value     = conformance_thing.new.secret
  sensitive = true
}
