# The role of the API's service account, which has no key of its own (IRSA).

variable "prefix" {
  type = string
}

variable "issuer" {
  type = string
}

variable "oidc_provider_arn" {
  type = string
}

variable "namespace" {
  type = string
}

variable "service_account" {
  type = string
}

variable "bucket_arns" {
  type = list(string)
}

variable "log_group_arn" {
  type = string
}

locals {
  issuer = replace(var.issuer, "https://", "")
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [var.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["system:serviceaccount:${var.namespace}:${var.service_account}"]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "buckets" {
  statement {
    actions   = ["s3:ListBucket"]
    resources = var.bucket_arns
  }

  statement {
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = [for arn in var.bucket_arns : "${arn}/*"]
  }
}

resource "aws_iam_role" "service_account" {
  name               = "${var.prefix}-sa-role"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_policy" "buckets" {
  name   = "${var.prefix}-s3-access"
  policy = data.aws_iam_policy_document.buckets.json
}

resource "aws_iam_role_policy_attachment" "buckets" {
  role       = aws_iam_role.service_account.name
  policy_arn = aws_iam_policy.buckets.arn
}

resource "aws_iam_role_policy" "logs" {
  name = "logs"
  role = aws_iam_role.service_account.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = "${var.log_group_arn}:*"
    }]
  })
}

output "role_arn" {
  value = aws_iam_role.service_account.arn
}
