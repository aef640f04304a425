# What AWS itself knows, for the case that Prometheus is away or not there: machines, stores, load balancer. Whether a sale moves is
# told by the server's own figures (infra/observability).

locals {
  metric_namespace = "fest/${var.name}"
}

resource "aws_sns_topic" "alarms" {
  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.emails)

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_cloudwatch_log_group" "server" {
  name              = "/fest/${var.name}/server"
  retention_in_days = var.log_days
}

# Each is somebody's work: what clients do wrong is no error of the server.
resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${var.name}-errors"
  log_group_name = aws_cloudwatch_log_group.server.name
  pattern        = "{ ($.level = \"error\") || ($.level = \"fatal\") }"

  metric_transformation {
    namespace     = local.metric_namespace
    name          = "errors"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = each.value.above ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# A share, not a count: refusals of a crowd at the door are 5xx as well (503 overloaded), and a few of many are as intended.
resource "aws_cloudwatch_metric_alarm" "failing" {
  alarm_name          = "${var.name}-failing"
  alarm_description   = "More than a tenth of all answers are 5xx, for three minutes. Look at: fest watch; the servers' log; whether Redis and MySQL are there."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0.1
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "share"
    expression  = "IF(requests > 100, (FILL(ours, 0) + FILL(theirs, 0)) / requests, 0)"
    label       = "share of 5xx"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = {
      requests = "RequestCount"
      ours     = "HTTPCode_Target_5XX_Count"
      theirs   = "HTTPCode_ELB_5XX_Count"
    }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        dimensions  = { LoadBalancer = var.load_balancer.load_balancer }
        stat        = "Sum"
        period      = 60
      }
    }
  }
}
