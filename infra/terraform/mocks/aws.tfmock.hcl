# What tests are told where AWS would answer: only values whose form the provider or the modules look at. Everything else that
# AWS decides is a random text.

mock_data "aws_region" {
  defaults = { name = "eu-central-1" }
}

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_elb_service_account" {
  defaults = { arn = "arn:aws:iam::054676820928:root" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:mock" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/mock" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:mock" }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mock-abcdef" }
}

mock_resource "aws_acm_certificate" {
  defaults = {
    arn = "arn:aws:acm:eu-central-1:123456789012:certificate/mock"
    domain_validation_options = [
      { domain_name = "tickets.example.org", resource_record_name = "_proof.tickets.example.org", resource_record_type = "CNAME", resource_record_value = "proof.example.net" },
    ]
  }
}

mock_resource "aws_acm_certificate_validation" {
  defaults = { certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/mock" }
}

mock_resource "aws_lb" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/mock/50dc6c495c0c9188"
    arn_suffix = "app/mock/50dc6c495c0c9188"
    dns_name   = "mock.elb.example.net"
    zone_id    = "Z215JYRZR1TBD5"
  }
}

mock_resource "aws_lb_target_group" {
  defaults = {
    arn        = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/mock/73e2d6bc24d8a067"
    arn_suffix = "targetgroup/mock/73e2d6bc24d8a067"
  }
}

mock_resource "aws_lb_listener" {
  defaults = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/mock/50dc6c495c0c9188/f2f7dc8efc522ab2" }
}

mock_resource "aws_db_instance" {
  defaults = {
    address            = "mysql.example.net"
    master_user_secret = [{ kms_key_id = "", secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-mock-abcdef", secret_status = "active" }]
  }
}

mock_resource "aws_elasticache_replication_group" {
  defaults = { primary_endpoint_address = "redis.example.net" }
}

mock_resource "aws_efs_file_system" {
  defaults = { id = "fs-0123456789abcdef0", arn = "arn:aws:elasticfilesystem:eu-central-1:123456789012:file-system/fs-0123456789abcdef0" }
}

mock_resource "aws_launch_template" {
  defaults = { id = "lt-0123456789abcdef0" }
}

mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::mock" }
}

mock_resource "aws_prometheus_workspace" {
  defaults = {
    arn                 = "arn:aws:aps:eu-central-1:123456789012:workspace/ws-00000000-0000-0000-0000-000000000000"
    prometheus_endpoint = "https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-00000000-0000-0000-0000-000000000000/"
  }
}
