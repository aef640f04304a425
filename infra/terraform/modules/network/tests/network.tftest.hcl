mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                 = "fest-test"
  zones                = ["eu-central-1a", "eu-central-1b"]
  nat_gateway_per_zone = true
}

run "two_zones_with_three_kinds_of_subnets" {
  command = apply

  assert {
    condition     = length(aws_subnet.public) == 2 && length(aws_subnet.private) == 2 && length(aws_subnet.stores) == 2
    error_message = "each zone has a public, a private and a store subnet"
  }
  assert {
    condition     = length(distinct(concat([for s in aws_subnet.public : s.cidr_block], [for s in aws_subnet.private : s.cidr_block], [for s in aws_subnet.stores : s.cidr_block]))) == 6
    error_message = "no two subnets share addresses"
  }
  assert {
    condition     = alltrue([for s in aws_subnet.public : !s.map_public_ip_on_launch])
    error_message = "nothing gets a public address by itself"
  }
  assert {
    condition     = [for s in output.server_subnets : s.zone] == ["eu-central-1a", "eu-central-1b"]
    error_message = "servers are numbered in the order of the zones"
  }
}

run "stores_have_no_way_to_the_internet" {
  command = apply

  assert {
    condition     = alltrue([for r in aws_route_table_association.stores : r.route_table_id == aws_route_table.stores.id])
    error_message = "every store subnet has the route table of the stores"
  }
  assert {
    condition     = aws_route.public_internet.route_table_id != aws_route_table.stores.id && alltrue([for r in aws_route.private_nat : r.route_table_id != aws_route_table.stores.id])
    error_message = "no route to the Internet is in the route table of the stores"
  }
  assert {
    condition     = alltrue([for name, rule in aws_vpc_security_group_ingress_rule.flow : rule.cidr_ipv4 == null])
    error_message = "stores and servers are reached from security groups, never from addresses"
  }
  assert {
    condition     = toset([for name, flow in local.flows : flow.from if contains(["mysql", "redis", "gateway"], flow.to)]) == toset(["server"])
    error_message = "only servers reach the stores"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.https.security_group_id == aws_security_group.this["server"].id
    error_message = "only servers talk to the Internet"
  }
}

run "the_internet_reaches_the_load_balancer_only" {
  command = apply

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.public : rule.security_group_id == aws_security_group.this["load-balancer"].id])
    error_message = "what is open to everybody is the load balancer"
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.public : rule.from_port]) == toset([80, 443])
    error_message = "the load balancer is open on 80 and 443"
  }
  assert {
    condition     = alltrue(concat([for rule in aws_vpc_security_group_ingress_rule.flow : rule.from_port != 22], [for rule in aws_vpc_security_group_ingress_rule.public : rule.from_port != 22]))
    error_message = "nobody reaches anything by SSH"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.metrics) == 0
    error_message = "without metrics_cidrs nobody passes the load balancer"
  }
  assert {
    condition     = aws_default_security_group.unused.vpc_id == aws_vpc.this.id && try(length(aws_default_security_group.unused.ingress), 0) == 0
    error_message = "the default security group lets nothing through"
  }
}

run "prometheus_passes_the_load_balancer_from_the_networks_given" {
  command = apply

  variables {
    metrics_cidrs = ["10.20.112.0/20"]
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.metrics["10.20.112.0/20"].from_port == 8080
    error_message = "Prometheus reaches the servers' port"
  }
}

run "each_zone_has_a_nat_gateway_of_its_own" {
  command = apply

  assert {
    condition     = length(aws_nat_gateway.this) == 2 && alltrue([for zone, used in local.nat_zone : used == zone])
    error_message = "the loss of a zone leaves the other one its way out"
  }
}

run "one_nat_gateway_for_all_where_that_is_said" {
  command = apply

  variables {
    nat_gateway_per_zone = false
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && toset(values(local.nat_zone)) == toset(["eu-central-1a"])
    error_message = "all zones use the gateway of the first one"
  }
}

run "refused_connections_are_logged" {
  command = apply

  assert {
    condition     = aws_flow_log.refused.traffic_type == "REJECT" && aws_cloudwatch_log_group.flow.retention_in_days == 30
    error_message = "refused connections are kept for 30 days"
  }
  assert {
    condition     = jsondecode(aws_iam_role.flow.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "no other account makes AWS write with the role of the flow log"
  }
  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.s3.service_name == "com.amazonaws.eu-central-1.s3"
    error_message = "S3 is reached without NAT"
  }
}

run "a_zone_that_is_appended_moves_no_subnet" {
  command = apply

  variables {
    zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  }

  assert {
    condition     = aws_subnet.private["eu-central-1b"].cidr_block == "10.20.80.0/20" && aws_subnet.stores["eu-central-1a"].cidr_block == "10.20.128.0/20"
    error_message = "the subnets of the first zones stay where they are"
  }
}
