# The Kubernetes cluster: control plane, nodes, and the roles of both.

variable "prefix" {
  type = string
}

variable "version_" {
  type = string
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "node_subnet_ids" {
  type = list(string)
}

variable "nodes" {
  type = object({
    instance_types = list(string)
    spot           = bool
    desired        = number
    min            = number
    max            = number
  })
}

variable "log_retention_days" {
  type = number
}

locals {
  name = "${var.prefix}-cluster"

  roles = {
    cluster = "eks.amazonaws.com"
    node    = "ec2.amazonaws.com"
  }

  node_policies = toset([
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryReadOnly",
  ])
}

resource "aws_cloudwatch_log_group" "cluster" {
  name              = "/aws/eks/${local.name}/cluster"
  retention_in_days = var.log_retention_days
}

resource "aws_security_group" "main" {
  for_each = { cluster = "EKS cluster", node = "EKS nodes" }

  name        = "${var.prefix}-${each.key}-sg"
  description = each.value
  vpc_id      = var.vpc_id

  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }

  tags = {
    Name = "${var.prefix}-${each.key}-sg"
  }
}

resource "aws_security_group_rule" "node_to_cluster" {
  type                     = "ingress"
  security_group_id        = aws_security_group.main["cluster"].id
  source_security_group_id = aws_security_group.main["node"].id
  protocol                 = "tcp"
  from_port                = 443
  to_port                  = 443
}

resource "aws_security_group_rule" "cluster_to_node" {
  type                     = "ingress"
  security_group_id        = aws_security_group.main["node"].id
  source_security_group_id = aws_security_group.main["cluster"].id
  protocol                 = "tcp"
  from_port                = 1025
  to_port                  = 65535
}

resource "aws_security_group_rule" "node_to_node" {
  type              = "ingress"
  security_group_id = aws_security_group.main["node"].id
  self              = true
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
}

data "aws_iam_policy_document" "assume" {
  for_each = local.roles

  statement {
    effect  = "Allow"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = [each.value]
    }
  }
}

resource "aws_iam_role" "main" {
  for_each = local.roles

  name               = "${var.prefix}-${each.key}-role"
  assume_role_policy = data.aws_iam_policy_document.assume[each.key].json
}

resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.main["cluster"].name
  policy_arn = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = local.node_policies

  role       = aws_iam_role.main["node"].name
  policy_arn = "arn:aws:iam::aws:policy/${each.value}"
}

resource "aws_eks_cluster" "main" {
  name     = local.name
  version  = var.version_
  role_arn = aws_iam_role.main["cluster"].arn

  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

  vpc_config {
    subnet_ids              = var.subnet_ids
    security_group_ids      = [aws_security_group.main["cluster"].id]
    endpoint_private_access = true
    endpoint_public_access  = true
  }

  depends_on = [
    aws_iam_role_policy_attachment.cluster,
    aws_cloudwatch_log_group.cluster,
  ]
}

resource "aws_eks_node_group" "main" {
  cluster_name    = aws_eks_cluster.main.name
  version         = aws_eks_cluster.main.version
  node_group_name = "${var.prefix}-nodes"
  node_role_arn   = aws_iam_role.main["node"].arn
  subnet_ids      = var.node_subnet_ids
  instance_types  = var.nodes.instance_types
  capacity_type   = var.nodes.spot ? "SPOT" : "ON_DEMAND"

  scaling_config {
    desired_size = var.nodes.desired
    min_size     = var.nodes.min
    max_size     = var.nodes.max
  }

  lifecycle {
    # An emulator of EKS may report a key that nobody asked for.
    ignore_changes = [remote_access]
  }

  depends_on = [aws_iam_role_policy_attachment.node]
}

resource "aws_iam_openid_connect_provider" "cluster" {
  url             = aws_eks_cluster.main.identity[0].oidc[0].issuer
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]
}

output "endpoint" {
  value = aws_eks_cluster.main.endpoint
}

output "issuer" {
  value = aws_eks_cluster.main.identity[0].oidc[0].issuer
}

output "oidc_provider_arn" {
  value = aws_iam_openid_connect_provider.cluster.arn
}

output "log_group_arn" {
  value = aws_cloudwatch_log_group.cluster.arn
}
