# HTTPS to everybody, HTTP/1.1 to the servers: requests and WebSockets alike. Whoever is not ready gets nothing new.

resource "aws_lb" "this" {
  name               = var.name
  load_balancer_type = "application"
  internal           = false
  subnets            = var.subnet_ids
  security_groups    = [var.security_group_id]

  idle_timeout               = var.idle_timeout_seconds
  enable_deletion_protection = var.deletion_protection
  enable_http2               = true
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"

  # The server believes the last entry of X-Forwarded-For, which this load balancer has appended.
  xff_header_processing_mode = "append"
  enable_xff_client_port     = false

  dynamic "minimum_load_balancer_capacity" {
    for_each = var.reserved_capacity_units > 0 ? [var.reserved_capacity_units] : []

    content {
      capacity_units = minimum_load_balancer_capacity.value
    }
  }

  dynamic "access_logs" {
    for_each = aws_s3_bucket_policy.access_logs

    content {
      enabled = true
      bucket  = access_logs.value.bucket
    }
  }
}

resource "aws_lb_target_group" "servers" {
  name                 = var.name
  vpc_id               = var.vpc_id
  target_type          = "instance"
  port                 = var.server_port
  protocol             = "HTTP"
  protocol_version     = "HTTP1"
  deregistration_delay = var.draining_seconds

  # All servers alike: admission goes by the health of one of them. By open requests the one that refuses fastest would get most.
  load_balancing_algorithm_type = "round_robin"

  health_check {
    path                = "/health/ready"
    matcher             = "200"
    interval            = var.health_check.interval_seconds
    timeout             = var.health_check.timeout_seconds
    healthy_threshold   = var.health_check.healthy_answers
    unhealthy_threshold = var.health_check.unhealthy_answers
  }

  # Nothing is kept for a buyer at one server.
  stickiness {
    enabled = false
    type    = "lb_cookie"
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = local.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.servers.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

# Figures are for those inside (metrics_cidrs of the network), who ask each server by itself.
resource "aws_lb_listener_rule" "metrics" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 1

  condition {
    path_pattern {
      values = ["/metrics", "/metrics/*"]
    }
  }

  action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
      message_body = "Not found"
    }
  }
}
