output "topic_arn" {
  description = "Topic of what is for the day: more ways to be told subscribe to it."
  value       = aws_sns_topic.alarms.arn
}

output "page_topic_arn" {
  description = "Topic of what has to wake somebody."
  value       = aws_sns_topic.pages.arn
}

output "log_group" {
  description = "Log group of the servers."
  value       = { name = aws_cloudwatch_log_group.server.name, arn = aws_cloudwatch_log_group.server.arn }
}

output "metric_namespace" {
  description = "Namespace of the machines' figures."
  value       = local.metric_namespace
}

output "dashboard" {
  description = "Dashboard of CloudWatch."
  value       = "https://${var.region}.console.aws.amazon.com/cloudwatch/home?region=${var.region}#dashboards/dashboard/${var.name}"
}

output "alarm_names" {
  description = "All alarms."
  value       = sort(concat([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name], [aws_cloudwatch_metric_alarm.failing.alarm_name]))
}
