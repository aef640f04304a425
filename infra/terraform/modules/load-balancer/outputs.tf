output "url" {
  description = "Where buyers and operators come."
  value       = "https://${var.domain_name}"
}

output "dns_name" {
  description = "Name of the load balancer itself: where the domain is kept elsewhere, point a CNAME or ALIAS at it."
  value       = aws_lb.this.dns_name
}

output "target_group_arn" {
  description = "Where servers register."
  value       = aws_lb_target_group.servers.arn
}

output "metric_names" {
  description = "What the load balancer and its target group are called in CloudWatch."
  value = {
    load_balancer = aws_lb.this.arn_suffix
    target_group  = aws_lb_target_group.servers.arn_suffix
  }
}

output "notice_seconds" {
  description = "How long it takes to notice that a server is not ready: unhealthy answers, a round each, and the last one's time-out. A server that stops answers for longer (FEST_LAME_DUCK_MS)."
  value       = var.health_check.interval_seconds * var.health_check.unhealthy_answers + var.health_check.timeout_seconds
}

output "deletion_protection" {
  description = "Whether the load balancer is protected from deletion."
  value       = aws_lb.this.enable_deletion_protection
}
