# Each validation has its failing twin here.
mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                  = "fest-test"
  environment           = "test"
  slots                 = { server-1 = { zone = "eu-central-1a", subnet_id = "subnet-1" } }
  ami_id                = "ami-0123456789abcdef0"
  release               = { bucket = "example-releases", key = "releases/fest-0.1.0.tar.gz", sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" }
  security_group_ids    = { server = "sg-server", gateway = "sg-gateway" }
  instance_profile_name = "fest-test-server"
  roll_role_arn         = "arn:aws:iam::123456789012:role/fest-test-roll"
  target_group_arn      = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/fest-test/73e2d6bc24d8a067"
  trusted_proxies       = ["10.20.0.0/20"]
  notice_seconds        = 13
  stores                = { mysql_address = "m", mysql_database = "fest", mysql_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:m", redis_address = "r", redis_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:r" }
  secret_arns           = { keys = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:k", accounts = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a" }
  log_group_name        = "/fest/fest-test/server"
  metric_namespace      = "fest/fest-test"
}

run "odd_names_no_servers_tiny_machines_unpinned_releases_and_bounds_out_of_range_are_refused" {
  command = plan
  variables {
    name              = "Fest"
    environment       = "my test"
    slots             = {}
    instance_type     = "t3.micro"
    cpu_credits       = "free"
    ami_id            = "latest"
    release           = { bucket = "b", key = "releases/fest.tar.gz", sha256 = "latest" }
    workers           = "65"
    mysql_pool_size   = 4
    log_level         = "loud"
    extra_environment = { PATH = "/tmp" }
    log_volume        = { size_gib = 1 }
    trusted_proxies   = ["0.0.0.0/0"]
    notice_seconds    = 200
    server_port       = 80
    log_group_name    = "arn:aws:logs:eu-central-1:123456789012:log-group:/fest"
    metric_namespace  = "AWS/EC2"

    security_group_ids    = { server = "everybody", gateway = "sg-gateway" }
    instance_profile_name = "arn:aws:iam::123456789012:instance-profile/fest-test-server"
    roll_role_arn         = "fest-test-roll"
    target_group_arn      = "fest-test"
    stores                = { mysql_address = "m", mysql_database = "fest", mysql_secret_arn = "a-password", redis_address = "r", redis_secret_arn = "another" }
    secret_arns           = { keys = "a-key", accounts = "[]" }
  }
  expect_failures = [var.server_port, var.log_group_name, var.metric_namespace, var.security_group_ids, var.instance_profile_name, var.roll_role_arn, var.target_group_arn, var.stores, var.secret_arns, var.name, var.environment, var.slots, var.instance_type, var.cpu_credits, var.ami_id, var.release, var.workers, var.mysql_pool_size, var.log_level, var.extra_environment, var.log_volume, var.trusted_proxies, var.notice_seconds]
}

run "names_of_slots_archives_of_another_kind_what_the_module_sets_and_more_than_gp3_has_are_refused" {
  command = plan
  variables {
    slots             = { blue = { zone = "eu-central-1a", subnet_id = "subnet-1" } }
    instance_type     = "t4g.small"
    release           = { bucket = "b", key = "releases/fest.zip", sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" }
    extra_environment = { FEST_JWT_SECRET = "not-here" }
    log_volume        = { iops = 100000 }
    trusted_proxies   = []
    stores            = { mysql_address = "m/other", mysql_database = "fest", mysql_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:m", redis_address = "r", redis_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:r" }
  }
  expect_failures = [var.stores, var.slots, var.instance_type, var.release, var.extra_environment, var.log_volume, var.trusted_proxies]
}
