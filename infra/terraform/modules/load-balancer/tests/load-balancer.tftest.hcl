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

run "buyers_come_by_https_and_servers_are_asked_whether_they_are_ready" {
  command = apply

  assert {
    condition     = aws_lb_listener.https.port == 443 && aws_lb_listener.https.protocol == "HTTPS"
    error_message = "buyers come by HTTPS"
  }
  assert {
    condition     = aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    error_message = "nothing older than TLS 1.2 is spoken"
  }
  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "redirect" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "who comes without TLS is sent to HTTPS"
  }
  assert {
    condition     = aws_lb_target_group.servers.health_check[0].path == "/health/ready" && aws_lb_target_group.servers.health_check[0].matcher == "200"
    error_message = "a server gets buyers while its /health/ready says 200"
  }
  assert {
    condition     = output.notice_seconds == 13
    error_message = "a server that stops is noticed after two rounds of 5 s and a time-out of 3 s"
  }
  assert {
    condition     = aws_lb_target_group.servers.deregistration_delay == "45"
    error_message = "connections of a server that is taken out have 45 s"
  }
  assert {
    condition     = aws_lb_target_group.servers.protocol_version == "HTTP1"
    error_message = "servers are spoken to by HTTP/1.1, so WebSockets pass"
  }
  assert {
    condition     = aws_lb_target_group.servers.stickiness[0].enabled == false && aws_lb_target_group.servers.load_balancing_algorithm_type == "round_robin"
    error_message = "all servers are loaded alike, and nobody is kept at one"
  }
}

run "what_is_sent_is_not_taken_on_trust" {
  command = apply

  assert {
    condition     = aws_lb.this.drop_invalid_header_fields
    error_message = "malformed headers are dropped"
  }
  assert {
    condition     = aws_lb.this.xff_header_processing_mode == "append" && !aws_lb.this.enable_xff_client_port
    error_message = "the buyer's address is appended to X-Forwarded-For, without a port"
  }
  assert {
    condition     = aws_lb_listener_rule.metrics.action[0].type == "fixed-response" && aws_lb_listener_rule.metrics.action[0].fixed_response[0].status_code == "404"
    error_message = "the Internet is not shown /metrics"
  }
  assert {
    condition     = aws_lb.this.idle_timeout == 60
    error_message = "the load balancer closes idle connections before the server does"
  }
  assert {
    condition     = aws_lb.this.enable_deletion_protection
    error_message = "the load balancer is protected from deletion unless something else is said"
  }
  assert {
    condition     = length(aws_lb.this.minimum_load_balancer_capacity) == 0
    error_message = "no capacity is reserved, and paid, unless it is asked for"
  }
}

run "with_a_zone_the_certificate_and_the_address_are_made" {
  command = apply

  assert {
    condition     = aws_lb_listener.https.certificate_arn == aws_acm_certificate_validation.this["tickets.example.org"].certificate_arn
    error_message = "the listener waits for a certificate that is proven"
  }
  assert {
    condition     = aws_route53_record.proof["tickets.example.org"].name == "_proof.tickets.example.org"
    error_message = "the proof stands in the zone, so that the certificate renews itself"
  }
  assert {
    condition     = aws_route53_record.address["tickets.example.org"].alias[0].name == aws_lb.this.dns_name
    error_message = "the domain leads to the load balancer"
  }
}

run "without_a_zone_a_certificate_of_ones_own_is_used" {
  command = apply

  variables {
    zone_id                 = null
    certificate_arn         = "arn:aws:acm:eu-central-1:123456789012:certificate/own"
    reserved_capacity_units = 200
    access_log_days         = 0
  }

  assert {
    condition     = aws_lb_listener.https.certificate_arn == "arn:aws:acm:eu-central-1:123456789012:certificate/own"
    error_message = "the given certificate is used"
  }
  assert {
    condition     = length(aws_route53_record.address) == 0 && length(aws_acm_certificate.this) == 0
    error_message = "nothing is made in a zone that is not ours"
  }
  assert {
    condition     = aws_lb.this.minimum_load_balancer_capacity[0].capacity_units == 200
    error_message = "capacity is reserved where it is asked for"
  }
  assert {
    condition     = length(aws_s3_bucket.access_logs) == 0 && length(aws_lb.this.access_logs) == 0
    error_message = "with 0 days there are no access logs"
  }
}

run "access_logs_are_private_and_forgotten" {
  command = apply

  assert {
    condition     = alltrue([for block in aws_s3_bucket_public_access_block.access_logs : block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets])
    error_message = "the bucket of access logs can never be public"
  }
  assert {
    condition     = alltrue([for lifecycle in aws_s3_bucket_lifecycle_configuration.access_logs : lifecycle.rule[0].expiration[0].days == 30 && lifecycle.rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 1])
    error_message = "addresses of people are forgotten after 30 days, half-written ones too"
  }
  assert {
    condition     = alltrue([for policy in aws_s3_bucket_policy.access_logs : jsondecode(policy.policy).Statement[1].Condition.Bool["aws:SecureTransport"] == "false"])
    error_message = "the bucket is not spoken to in the clear"
  }
  assert {
    condition     = alltrue([for policy in aws_s3_bucket_policy.access_logs : jsondecode(policy.policy).Statement[0].Principal == { AWS = "arn:aws:iam::054676820928:root" } && jsondecode(policy.policy).Statement[0].Action == "s3:PutObject"])
    error_message = "only the region's account of load balancers writes to the bucket"
  }
  assert {
    condition     = length(aws_lb.this.access_logs) == 1 && aws_lb.this.access_logs[0].enabled
    error_message = "access logs are written"
  }
}

run "in_a_young_region_the_service_writes_access_logs" {
  command = apply

  override_data {
    target = data.aws_region.current
    values = { name = "eu-central-2" }
  }

  assert {
    condition     = alltrue([for policy in aws_s3_bucket_policy.access_logs : jsondecode(policy.policy).Statement[0].Principal == { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }])
    error_message = "only the service of load balancers writes to the bucket"
  }
}
