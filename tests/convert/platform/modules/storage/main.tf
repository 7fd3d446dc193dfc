# Closed, encrypted buckets that move old objects to cheaper classes.

variable "prefix" {
  type = string
}

variable "buckets" {
  type = map(object({ versioned = bool }))
}

variable "force_destroy" {
  type    = bool
  default = false
}

variable "transitions" {
  description = "After how many days objects move to which class."
  type = list(object({
    days  = number
    class = string
  }))
  default = [
    { days = 30, class = "STANDARD_IA" },
    { days = 90, class = "GLACIER" },
  ]
}

resource "aws_s3_bucket" "main" {
  for_each = var.buckets

  bucket        = "${var.prefix}-${each.key}"
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_versioning" "main" {
  for_each = { for name, bucket in var.buckets : name => bucket if bucket.versioned }

  bucket = aws_s3_bucket.main[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "main" {
  for_each = aws_s3_bucket.main

  bucket = each.value.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "main" {
  for_each = aws_s3_bucket.main

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "main" {
  for_each = aws_s3_bucket.main

  bucket = each.value.id

  rule {
    id     = "tier"
    status = "Enabled"

    filter {}

    dynamic "transition" {
      for_each = var.transitions

      content {
        days          = transition.value.days
        storage_class = transition.value.class
      }
    }
  }
}

output "names" {
  value = { for name, bucket in aws_s3_bucket.main : name => bucket.bucket }
}

output "arns" {
  value = { for name, bucket in aws_s3_bucket.main : name => bucket.arn }
}
