# A VPC with a public and a private subnet in each zone.

variable "prefix" {
  type = string
}

variable "cidr" {
  type = string
}

variable "zones" {
  type    = number
  default = 2
}

variable "single_nat_gateway" {
  type = bool
}

locals {
  nat_gateways = var.single_nat_gateway ? 1 : var.zones

  subnets = {
    public  = { role = "elb", first = 0 }
    private = { role = "internal-elb", first = 10 }
  }
}

data "aws_availability_zones" "available" {
  state = "available"
}

resource "aws_vpc" "main" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = {
    Name = "${var.prefix}-vpc"
  }
}

resource "aws_subnet" "public" {
  count = var.zones

  vpc_id                  = aws_vpc.main.id
  cidr_block              = cidrsubnet(var.cidr, 8, local.subnets.public.first + count.index)
  availability_zone       = data.aws_availability_zones.available.names[count.index]
  map_public_ip_on_launch = true

  tags = {
    Name = "${var.prefix}-public-${count.index}"
    # By this tag the load balancer controller finds where to put its balancers.
    "kubernetes.io/role/${local.subnets.public.role}" = "1"
  }
}

resource "aws_subnet" "private" {
  count = var.zones

  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(var.cidr, 8, local.subnets.private.first + count.index)
  availability_zone = data.aws_availability_zones.available.names[count.index]

  tags = {
    Name                                               = "${var.prefix}-private-${count.index}"
    "kubernetes.io/role/${local.subnets.private.role}" = "1"
  }
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id

  tags = {
    Name = "${var.prefix}-igw"
  }
}

resource "aws_eip" "nat" {
  count  = local.nat_gateways
  domain = "vpc"

  tags = {
    Name = format("%s-nat-%d", var.prefix, count.index)
  }

  depends_on = [aws_internet_gateway.main]
}

resource "aws_nat_gateway" "main" {
  count = local.nat_gateways

  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.public[count.index].id

  tags = {
    Name = format("%s-nat-%d", var.prefix, count.index)
  }

  depends_on = [aws_internet_gateway.main]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }

  tags = {
    Name = "${var.prefix}-public"
  }
}

resource "aws_route_table_association" "public" {
  count = var.zones

  route_table_id = aws_route_table.public.id
  subnet_id      = aws_subnet.public[count.index].id
}

# A table of its own for each zone, so that a second gateway changes one route and nothing else.
resource "aws_route_table" "private" {
  count = var.zones

  vpc_id = aws_vpc.main.id

  route {
    cidr_block     = "0.0.0.0/0"
    nat_gateway_id = aws_nat_gateway.main[var.single_nat_gateway ? 0 : count.index].id
  }

  tags = {
    Name = "${var.prefix}-private-${count.index}"
  }
}

resource "aws_route_table_association" "private" {
  count = var.zones

  route_table_id = aws_route_table.private[count.index].id
  subnet_id      = aws_subnet.private[count.index].id
}

output "vpc_id" {
  value = aws_vpc.main.id
}

output "public_subnet_ids" {
  value = aws_subnet.public[*].id
}

output "private_subnet_ids" {
  value = aws_subnet.private[*].id
}
