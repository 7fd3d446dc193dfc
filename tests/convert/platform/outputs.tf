output "vpc_id" {
  description = "The VPC."
  value       = module.network.vpc_id
}

output "cluster_endpoint" {
  description = "Where the API server answers."
  value       = module.cluster.endpoint
}

output "buckets" {
  description = "The names of the buckets, by what is in them."
  value       = module.storage.names
}

output "repository_url" {
  description = "Where images are pushed."
  value       = module.registry.url
}

output "service_account_role" {
  description = "The annotation of the API's service account."
  value       = "eks.amazonaws.com/role-arn: ${module.identity.role_arn}"
}
