output "workspace_arn" {
  description = "The workspace: who may write to it, and publish to the topics."
  value       = aws_prometheus_workspace.this.arn
}

output "endpoint" {
  description = "Address of the workspace, for a data source of Grafana (Prometheus, SigV4, service aps)."
  value       = aws_prometheus_workspace.this.prometheus_endpoint
}

output "remote_write_url" {
  description = "Where servers bring their figures."
  value       = "${aws_prometheus_workspace.this.prometheus_endpoint}api/v1/remote_write"
}

output "rule_namespaces" {
  description = "Files of rules that are evaluated."
  value       = sort(keys(aws_prometheus_rule_group_namespace.this))
}

output "alarm_name" {
  description = "Alarm of CloudWatch for a Prometheus that cannot tell."
  value       = aws_cloudwatch_metric_alarm.errors.alarm_name
}
