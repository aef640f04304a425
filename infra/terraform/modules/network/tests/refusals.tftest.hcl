# Each validation has its failing twin here.
mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                 = "fest-test"
  server_port          = 8080
  zones                = ["eu-central-1a", "eu-central-1b"]
  nat_gateway_per_zone = true
}

run "capitals_small_networks_single_zones_ports_of_root_metrics_for_everybody_and_odd_retentions_are_refused" {
  command = plan
  variables {
    name          = "Fest"
    cidr          = "10.20.0.0/24"
    zones         = ["eu-central-1a"]
    server_port   = 80
    metrics_cidrs = ["0.0.0.0/0"]
    flow_log_days = 31
  }
  expect_failures = [var.name, var.cidr, var.zones, var.server_port, var.metrics_cidrs, var.flow_log_days]
}

run "public_addresses_and_the_same_zone_twice_are_refused" {
  command = plan
  variables {
    cidr  = "8.8.0.0/16"
    zones = ["eu-central-1a", "eu-central-1a"]
  }
  expect_failures = [var.cidr, var.zones]
}

run "networks_without_a_length_are_refused" {
  command = plan
  variables {
    cidr          = "10.20.0.0"
    metrics_cidrs = ["10.20.0.0"]
  }
  expect_failures = [var.cidr, var.metrics_cidrs]
}
