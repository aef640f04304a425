# Who watches the watcher: a notification that did not get out is in this log, and nobody would read it.

# AWS's services may write to log groups of this prefix without a policy that grows with each of them.
resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/vendedlogs/prometheus/${var.name}"
  retention_in_days = var.log_days
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${var.name}-prometheus-errors"
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = "{ $.message.level = \"ERROR\" }"

  metric_transformation {
    namespace     = var.metric_namespace
    name          = "prometheus-errors"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-prometheus-errors"
  alarm_description   = "Prometheus could not evaluate a rule or tell somebody of an alert: alerts may be silent. Look at: the log group ${aws_cloudwatch_log_group.this.name}; the topics' policy."
  namespace           = var.metric_namespace
  metric_name         = aws_cloudwatch_log_metric_filter.errors.metric_transformation[0].name
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]
}
