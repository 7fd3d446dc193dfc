# How everything is called.
prefix = "acme"
subnets = {
  one = { name = "first", cidr = "10.1.0.0/24", public = true }
  two = { name = "second" }
}
