# Three kinds of subnets in each zone: public (load balancer, NAT), private (servers: out through NAT, in from the load
# balancer), stores (MySQL, Redis: no way out at all, and in from the servers only; see security-groups.tf).

locals {
  # A kind takes four of the sixteen blocks, so that a zone can be appended without moving what is there.
  block = { public = 0, private = 4, stores = 8 }
  zones = { for index, zone in var.zones : zone => index }
  # Zone whose NAT gateway each zone uses.
  nat_zone  = { for zone in var.zones : zone => var.nat_gateway_per_zone ? zone : var.zones[0] }
  nat_zones = toset(values(local.nat_zone))
}

data "aws_region" "current" {}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

# What comes with every network, and lets everything through: taken over, and emptied.
resource "aws_default_security_group" "unused" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-unused" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = var.name }
}

resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr, 4, local.block.public + each.value)
  map_public_ip_on_launch = false
  tags                    = { Name = "${var.name}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 4, local.block.private + each.value)
  tags              = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_subnet" "stores" {
  for_each = local.zones

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.cidr, 4, local.block.stores + each.value)
  tags              = { Name = "${var.name}-stores-${each.key}" }
}

resource "aws_eip" "nat" {
  for_each = local.nat_zones

  domain = "vpc"
  tags   = { Name = "${var.name}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = local.nat_zones

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id
  tags          = { Name = "${var.name}-${each.key}" }

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-public" }
}

resource "aws_route" "public_internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = local.zones

  subnet_id      = aws_subnet.public[each.key].id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table" "private" {
  for_each = local.zones

  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_route" "private_nat" {
  for_each = local.zones

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[local.nat_zone[each.key]].id
}

resource "aws_route_table_association" "private" {
  for_each = local.zones

  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}

# No routes but the network's own. Without it the subnets would have the network's main table, to which anybody may add one.
resource "aws_route_table" "stores" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.name}-stores" }
}

resource "aws_route_table_association" "stores" {
  for_each = local.zones

  subnet_id      = aws_subnet.stores[each.key].id
  route_table_id = aws_route_table.stores.id
}

# Releases and packages of the operating system come from S3: free this way, and not through NAT.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.current.name}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for table in aws_route_table.private : table.id]
  tags              = { Name = "${var.name}-s3" }
}
