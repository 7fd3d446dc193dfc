# A platform for machine learning: a network, a Kubernetes cluster, buckets, a registry, and a role for the API.

terraform {
  required_version = ">= 1.6"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = var.aws_region

  default_tags {
    tags = local.tags
  }
}

locals {
  prefix = "${var.project}-${var.environment}"

  tags = merge(
    {
      Project     = var.project
      Environment = var.environment
      ManagedBy   = "terraform"
    },
    var.extra_tags,
  )

  buckets = {
    models    = { versioned = true }
    data      = { versioned = var.backups }
    artifacts = { versioned = var.backups }
  }
}

module "network" {
  source = "./modules/network"

  prefix             = local.prefix
  cidr               = var.vpc_cidr
  zones              = 2
  single_nat_gateway = var.single_nat_gateway
}

module "storage" {
  source = "./modules/storage"

  prefix        = local.prefix
  buckets       = local.buckets
  force_destroy = var.force_destroy
}

module "registry" {
  source = "./modules/registry"

  repository   = "${local.prefix}-api"
  force_delete = var.force_destroy
}

module "cluster" {
  source = "./modules/cluster"

  prefix             = local.prefix
  version_           = var.eks_cluster_version
  vpc_id             = module.network.vpc_id
  subnet_ids         = concat(module.network.public_subnet_ids, module.network.private_subnet_ids)
  node_subnet_ids    = module.network.private_subnet_ids
  nodes              = var.nodes
  log_retention_days = var.log_retention_days
}

module "identity" {
  source = "./modules/identity"

  prefix            = local.prefix
  issuer            = module.cluster.issuer
  oidc_provider_arn = module.cluster.oidc_provider_arn
  namespace         = "mlops-platform"
  service_account   = "api"
  bucket_arns       = values(module.storage.arns)
  log_group_arn     = module.cluster.log_group_arn
}
