# Plans only: order logs and keys cannot be destroyed, which is what a test does with what it has applied.
mock_provider "aws" {
  source          = "../../mocks"
  override_during = plan
}

variables {
  domain_name = "tickets.example.org"
  zone_id     = "Z1"
  ami_id      = "ami-0123456789abcdef0"
  release     = { bucket = "example-fest", key = "releases/fest-0.1.0.tar.gz", sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" }
  emails      = ["sre@example.org"]

  redis_auth_token = "0123456789abcdef0123456789abcdef"
}

run "an_operator_is_told_what_to_use" {
  command = plan

  assert {
    condition     = output.url == "https://tickets.example.org"
    error_message = "buyers come by HTTPS to the domain"
  }
  assert {
    condition     = yamldecode(output.fest_profile) == { profiles = { staging = { url = "https://tickets.example.org", production = false } } }
    error_message = "the profile for fest names this environment"
  }
  assert {
    condition     = output.groups == { server-1 = "fest-staging-server-1", server-2 = "fest-staging-server-2" }
    error_message = "there are two servers"
  }
  assert {
    condition     = output.roll_command == "aws ssm start-automation-execution --region eu-central-1 --document-name fest-staging-roll"
    error_message = "the command of the rolling replacement can be copied"
  }
  assert {
    condition     = output.secret_names == { keys = "fest/fest-staging/keys", mysql = "fest/fest-staging/mysql", accounts = "fest/fest-staging/accounts" }
    error_message = "the secrets that are to be filled are named"
  }
}

run "staging_is_small_and_can_be_taken_down" {
  command = plan

  assert {
    condition     = module.mysql.safety == { standby = false, backup_days = 7, deletion_protection = false }
    error_message = "MySQL stands alone, with a week of backups"
  }
  assert {
    condition     = !module.load_balancer.deletion_protection && length(module.redis.node_ids) == 1 && length(output.nat_addresses) == 1
    error_message = "there is one NAT gateway, one Redis, and nothing protected from deletion"
  }
}

run "what_makes_no_sense_is_refused" {
  command = plan

  variables {
    region            = "Frankfurt"
    domain_name       = "localhost"
    certificate_arn   = "arn:aws:iam::1:server-certificate/x"
    ami_id            = "latest"
    release           = { bucket = "b", key = "fest.tar.gz", sha256 = "latest" }
    redis_auth_token  = "short"
    emails            = []
    pagers            = ["01701234567"]
    extra_environment = { PATH = "/" }
    monthly_limit_usd = 1
  }

  expect_failures = [var.region, var.domain_name, var.certificate_arn, var.ami_id, var.release, var.redis_auth_token, var.emails, var.pagers, var.extra_environment, var.monthly_limit_usd]
}

run "a_zone_of_another_region_and_two_certificates_are_refused" {
  command = plan

  variables {
    zones           = ["us-east-1a", "us-east-1b"]
    certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/own"
  }

  expect_failures = [var.zones, var.zone_id]
}

run "a_server_that_is_alone_is_refused" {
  command = plan

  variables {
    servers = { server-1 = "eu-central-1a" }
  }

  expect_failures = [var.servers]
}

run "a_server_in_a_zone_that_the_network_has_not_is_refused" {
  command = plan

  variables {
    servers = { server-1 = "eu-central-1a", server-2 = "eu-central-1c" }
  }

  expect_failures = [var.servers]
}

run "a_third_server_and_a_third_zone_leave_the_first_two_where_their_order_logs_are" {
  command = plan

  variables {
    zones   = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    servers = { server-1 = "eu-central-1a", server-2 = "eu-central-1b", server-3 = "eu-central-1c" }
  }

  assert {
    condition     = output.groups == { server-1 = "fest-staging-server-1", server-2 = "fest-staging-server-2", server-3 = "fest-staging-server-3" }
    error_message = "the first two stay what they are"
  }
  assert {
    condition     = module.service.zones == { server-1 = "eu-central-1a", server-2 = "eu-central-1b", server-3 = "eu-central-1c" }
    error_message = "each order log is in the zone that its server's name stands beside"
  }
}
