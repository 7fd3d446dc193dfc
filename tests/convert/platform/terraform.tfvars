environment = "prod"

nodes = {
  desired = 3
  min     = 2
  max     = 6
}

extra_tags = {
  CostCenter = "1234"
}
