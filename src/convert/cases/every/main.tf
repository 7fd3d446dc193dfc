# Every construct of the language, in one configuration.
terraform {
  required_providers {
    acme = {
      source  = "example/acme"
      version = "~> 1.0"
    }
  }
  backend "s3" {
    bucket         = "acme-states"
    key            = "every.tfstate"
    region         = "eu-west-1"
    dynamodb_table = "acme-locks"
  }
}

provider "acme" {
  region = var.region
}

provider "acme" {
  alias  = "west"
  region = "us-west-1"
}

locals {
  # The tags of all.
  tags = {
    Team = "net"
    Env  = var.environment
  }
  is_prod = var.environment == "prod"
  ports   = [for port in var.ports : port + 1]
  names   = { for key, subnet in var.subnets : key => upper(subnet.name) }
  policy = jsonencode({
    Version   = "1"
    Statement = [{ Effect = "Allow", Resource = acme_network.main.arn }]
  })
}

data "acme_zones" "all" {
  region = var.region
}

# The network.
resource "acme_network" "main" {
  name    = "${var.prefix}-main" # the name
  cidr    = cidrsubnet("10.0.0.0/8", 8, 1)
  size    = local.is_prod ? 3 : 1
  enabled = !local.is_prod
  zones   = slice(data.acme_zones.all.names, 0, min(2, length(data.acme_zones.all.names)))
  tags    = merge(local.tags, { Name = "main" })

  rule {
    port = 22
    from = ["10.0.0.0/8"]
  }

  dynamic "rule" {
    for_each = var.ports
    content {
      port = rule.value
    }
  }

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [tags["Cost"], size]

    precondition {
      condition     = length(var.ports) > 0
      error_message = "There has to be a port."
    }
  }
}

resource "acme_network" "counted" {
  count    = 2
  provider = acme.west
  name     = "counted-${count.index}"
  policy   = local.policy
}

resource "acme_network" "maybe" {
  count      = local.is_prod ? 1 : 0
  name       = "maybe"
  depends_on = [acme_network.main, acme_network.counted]
}

resource "acme_network" "each" {
  for_each = var.subnets
  name     = each.value.name
  cidr     = each.value.cidr
  tags     = each.value.public ? { Kind = "public", Key = each.key } : null
  password = var.password
}

resource "acme_network" "set" {
  for_each = toset(["a", "b"])
  name     = "set-${each.key}"
  size     = length(acme_network.each)
}

module "subnets" {
  source   = "./modules/subnet"
  for_each = var.subnets

  name    = each.key
  parent  = acme_network.main.id
  options = each.value.public ? { size = 2 } : {}
}

module "west" {
  source    = "./modules/subnet"
  name      = "west"
  parent    = acme_network.counted[0].id
  providers = { acme = acme.west }
}

moved {
  from = acme_network.old
  to   = acme_network.main
}

removed {
  from = acme_network.gone
  lifecycle {
    destroy = false
  }
}

output "main_id" {
  value = acme_network.main.id
}

output "maybe_id" {
  value = try(acme_network.maybe[0].id, "none")
}

output "counted_ids" {
  value = acme_network.counted[*].id
}

output "each_arns" {
  value = { for key, network in acme_network.each : key => network.arn }
}

output "subnet_names" {
  value = [for subnet in module.subnets : subnet.name]
}

output "text" {
  value = <<-EOT
    %{for name in ["x", "y"]~}
    name ${name}
    %{endfor~}
    %{if local.is_prod}prod%{else}test%{endif}
  EOT
}

output "script" {
  value = <<-EOT
      a ${var.prefix}
    b
      c
  EOT
}

output "password" {
  value     = var.password
  sensitive = true
}
