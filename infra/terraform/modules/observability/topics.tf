# Who is told. Two topics: what has to wake somebody, and what is for the day. Alarms of CloudWatch and alerts of Prometheus meet here.

locals {
  topics = { alarms = aws_sns_topic.alarms.arn, pages = aws_sns_topic.pages.arn }
}

resource "aws_sns_topic" "alarms" {
  name = "${var.name}-alarms"
}

resource "aws_sns_topic" "pages" {
  name = "${var.name}-pages"
}

resource "aws_sns_topic_subscription" "email" {
  for_each = { for pair in setproduct(keys(local.topics), toset(var.emails)) : "${pair[0]}-${pair[1]}" => { topic = local.topics[pair[0]], email = pair[1] } }

  topic_arn = each.value.topic
  protocol  = "email"
  endpoint  = each.value.email
}

# A mail wakes nobody: a telephone, or a service that calls until somebody answers.
resource "aws_sns_topic_subscription" "pager" {
  for_each = toset(var.pagers)

  topic_arn = aws_sns_topic.pages.arn
  protocol  = startswith(each.key, "https://") ? "https" : "sms"
  endpoint  = each.key
}

# With a policy of one's own AWS's default is gone: whoever tells of something is named.
resource "aws_sns_topic_policy" "this" {
  for_each = local.topics

  arn = each.value
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ThisAccount"
        Effect    = "Allow"
        Principal = { AWS = "*" }
        Action    = ["sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic", "sns:Publish", "sns:SetTopicAttributes", "sns:Subscribe"]
        Resource  = each.value
        Condition = { StringEquals = { "AWS:SourceOwner" = var.account_id } }
      },
      {
        Sid       = "AlarmsAndStores"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "elasticache.amazonaws.com", "events.rds.amazonaws.com"] }
        Action    = "sns:Publish"
        Resource  = each.value
        Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
      },
      {
        Sid       = "AlertsOfPrometheus"
        Effect    = "Allow"
        Principal = { Service = "aps.amazonaws.com" }
        Action    = ["sns:GetTopicAttributes", "sns:Publish"]
        Resource  = each.value
        Condition = { ArnEquals = { "aws:SourceArn" = var.workspace_arn }, StringEquals = { "aws:SourceAccount" = var.account_id } }
      },
    ]
  })
}
