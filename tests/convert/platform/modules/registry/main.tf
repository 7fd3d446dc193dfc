# The repository of the API's images, which keeps the last ten without a tag.

variable "repository" {
  type = string
}

variable "force_delete" {
  type    = bool
  default = false
}

resource "aws_ecr_repository" "main" {
  name                 = var.repository
  image_tag_mutability = "MUTABLE"
  force_delete         = var.force_delete

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "main" {
  repository = aws_ecr_repository.main.name

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the last 10 images without a tag"
      selection = {
        tagStatus   = "untagged"
        countType   = "imageCountMoreThan"
        countNumber = 10
      }
      action = { type = "expire" }
    }]
  })
}

output "url" {
  value = aws_ecr_repository.main.repository_url
}
