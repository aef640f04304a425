# Who may talk to whom: everything else is refused. Groups have no rules of their own, each rule is a resource.

resource "aws_security_group" "this" {
  for_each = {
    load-balancer = "HTTPS from everybody, to the servers"
    server        = "from the load balancer, to the stores and out by HTTPS"
    mysql         = "from the servers"
    redis         = "from the servers"
    gateway       = "folder of the simulated payment gateway: from the servers"
  }

  name        = "${var.name}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-${each.key}" }

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  group = { for name, group in aws_security_group.this : name => group.id }

  # From one group to another: a rule at each end.
  flows = {
    requests = { from = "load-balancer", to = "server", port = var.server_port }
    mysql    = { from = "server", to = "mysql", port = 3306 }
    redis    = { from = "server", to = "redis", port = 6379 }
    gateway  = { from = "server", to = "gateway", port = 2049 }
  }
}

resource "aws_vpc_security_group_ingress_rule" "flow" {
  for_each = local.flows

  security_group_id            = local.group[each.value.to]
  referenced_security_group_id = local.group[each.value.from]
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "${each.key} from ${each.value.from}"
}

resource "aws_vpc_security_group_egress_rule" "flow" {
  for_each = local.flows

  security_group_id            = local.group[each.value.from]
  referenced_security_group_id = local.group[each.value.to]
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  description                  = "${each.key} to ${each.value.to}"
}

# 80 only to be sent to 443.
resource "aws_vpc_security_group_ingress_rule" "public" {
  for_each = toset(["80", "443"])

  security_group_id = local.group["load-balancer"]
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
  description       = "buyers"
}

# AWS's own interfaces, packages of the operating system, payment gateways.
resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = local.group["server"]
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  description       = "HTTPS"
}

resource "aws_vpc_security_group_ingress_rule" "metrics" {
  for_each = toset(var.metrics_cidrs)

  security_group_id = local.group["server"]
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = var.server_port
  to_port           = var.server_port
  description       = "Prometheus"
}
