# Each validation has its failing twin here.
mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name              = "fest-test"
  vpc_id            = "vpc-1"
  subnet_ids        = ["subnet-1", "subnet-2"]
  security_group_id = "sg-1"
  domain_name       = "tickets.example.org"
  zone_id           = "Z1"
  account_id        = "123456789012"
}

run "one_zone_odd_names_and_bounds_that_break_the_sale_are_refused" {
  command = plan
  variables {
    name                    = "x"
    subnet_ids              = ["subnet-1"]
    domain_name             = "localhost"
    health_check            = { interval_seconds = 2 }
    idle_timeout_seconds    = 65
    draining_seconds        = 10
    reserved_capacity_units = 50
    access_log_days         = 500
    account_id              = "12345"
    vpc_id                  = "subnet-1"
    security_group_id       = "everybody"
    server_port             = 80
  }
  expect_failures = [var.vpc_id, var.security_group_id, var.server_port, var.name, var.subnet_ids, var.domain_name, var.health_check, var.idle_timeout_seconds, var.draining_seconds, var.reserved_capacity_units, var.access_log_days, var.account_id]
}

run "a_zone_and_a_certificate_at_once_and_a_timeout_as_long_as_its_round_are_refused" {
  command = plan
  variables {
    certificate_arn      = "arn:aws:acm:eu-central-1:123456789012:certificate/own"
    health_check         = { interval_seconds = 5, timeout_seconds = 5 }
    idle_timeout_seconds = 30
  }
  expect_failures = [var.zone_id, var.health_check, var.idle_timeout_seconds]
}

run "neither_zone_nor_certificate_and_one_answer_that_decides_are_refused" {
  command = plan
  variables {
    zone_id      = null
    health_check = { unhealthy_answers = 1 }
  }
  expect_failures = [var.zone_id, var.health_check]
}

run "a_certificate_that_is_none_is_refused" {
  command = plan
  variables {
    zone_id         = null
    certificate_arn = "arn:aws:iam::123456789012:server-certificate/old"
  }
  expect_failures = [var.certificate_arn]
}
