# A policy as people write them for Terraform's plans: what is destroyed, what everybody may reach, what has no tags.
package terraform

deny contains message if {
	some change in input.resource_changes
	"delete" in change.change.actions
	message := sprintf("%s would be destroyed", [change.address])
}

deny contains message if {
	some change in input.resource_changes
	change.type == "aws_s3_bucket_public_access_block"
	some name in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]
	not change.change.after[name]
	message := sprintf("%s: %s is off", [change.address, name])
}

# Values that only the apply knows are no violation.
deny contains message if {
	some change in input.resource_changes
	change.type == "aws_s3_bucket"
	"create" in change.change.actions
	not change.change.after_unknown.tags
	not change.change.after.tags
	message := sprintf("%s has no tags", [change.address])
}

deny contains message if {
	some resource in resources(input.planned_values.root_module)
	resource.type == "aws_eks_cluster"
	some settings in resource.values.vpc_config
	settings.endpoint_public_access
	"0.0.0.0/0" in settings.public_access_cidrs
	message := sprintf("%s is reached from everywhere", [resource.address])
}

resources(module) := [resource |
	walk(module, [path, resource])
	path[count(path) - 2] == "resources"
]
