mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name             = "fest-test"
  region           = "eu-central-1"
  topic_arns       = { on-call = "arn:aws:sns:eu-central-1:123456789012:fest-test-pages", chat = "arn:aws:sns:eu-central-1:123456789012:fest-test-alarms" }
  alarm_topic_arn  = "arn:aws:sns:eu-central-1:123456789012:fest-test-alarms"
  metric_namespace = "fest/fest-test"
}

run "the_rules_of_the_repository_are_evaluated_and_no_copies_of_them" {
  command = apply

  assert {
    condition     = output.rule_namespaces == tolist(["arrival", "log", "recording", "sale", "servers", "stores"])
    error_message = "each file of rules is a namespace, and there is one more for figures that do not arrive"
  }
  assert {
    condition = alltrue([for file in fileset(local.source, "prometheus/rules/*.yml") :
      jsonencode([for group in yamldecode(aws_prometheus_rule_group_namespace.this[trimsuffix(basename(file), ".yml")].data).groups : group.rules]) == jsonencode([for group in yamldecode(file("${local.source}/${file}")).groups : group.rules])
    ])
    error_message = "every rule is what its file says, to the letter"
  }
  assert {
    condition     = alltrue(flatten([for namespace in aws_prometheus_rule_group_namespace.this : [for group in yamldecode(namespace.data).groups : group.interval == "30s"]]))
    error_message = "rules are evaluated every half minute, not once a minute as AWS would"
  }
  assert {
    condition     = alltrue([for namespace in aws_prometheus_rule_group_namespace.this : length(namespace.data) < 1000000])
    error_message = "no namespace is larger than AWS takes"
  }
  assert {
    condition     = length(distinct(flatten([for rules in local.rules : [for group in rules.groups : group.name]]))) == length(flatten([for rules in local.rules : [for group in rules.groups : group.name]]))
    error_message = "each group has a name of its own"
  }
}

run "pages_wake_who_is_on_call_and_tickets_go_to_the_chat" {
  command = apply

  assert {
    condition     = yamldecode(yamldecode(aws_prometheus_alert_manager_definition.this.definition).alertmanager_config).route == yamldecode(file("${local.source}/alertmanager/alertmanager.yml")).route
    error_message = "routes are those of the repository's Alertmanager"
  }
  assert {
    condition     = one([for route in yamldecode(yamldecode(aws_prometheus_alert_manager_definition.this.definition).alertmanager_config).route.routes : route.receiver if contains(route.matchers, "severity = \"page\"")]) == "on-call"
    error_message = "a page goes to who is on call"
  }
  assert {
    condition     = { for receiver in yamldecode(yamldecode(aws_prometheus_alert_manager_definition.this.definition).alertmanager_config).receivers : receiver.name => receiver.sns_configs[0].topic_arn } == { on-call = "arn:aws:sns:eu-central-1:123456789012:fest-test-pages", chat = "arn:aws:sns:eu-central-1:123456789012:fest-test-alarms" }
    error_message = "each receiver is a topic"
  }
  assert {
    condition     = alltrue([for receiver in local.alertmanager.receivers : keys(receiver) == ["name", "sns_configs"] && receiver.sns_configs[0].sigv4.region == "eu-central-1" && receiver.sns_configs[0].send_resolved])
    error_message = "receivers are SNS alone, signed for the region, and hear when all is well again"
  }
  assert {
    condition     = length(local.alertmanager.inhibit_rules) == length(local.example.inhibit_rules) && length(local.example.inhibit_rules) > 0
    error_message = "one cause is one page here too"
  }
}

run "a_prometheus_that_cannot_tell_is_an_alarm_itself" {
  command = apply

  assert {
    condition     = aws_prometheus_workspace.this.logging_configuration[0].log_group_arn == "${aws_cloudwatch_log_group.this.arn}:*" && startswith(aws_cloudwatch_log_group.this.name, "/aws/vendedlogs/")
    error_message = "what rules and notifications failed with is logged where AWS may write"
  }
  assert {
    condition     = aws_cloudwatch_log_metric_filter.errors.pattern == "{ $.message.level = \"ERROR\" }" && aws_cloudwatch_metric_alarm.errors.threshold == 0
    error_message = "a single error in that log is an alarm"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.errors.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:fest-test-alarms"])
    error_message = "the alarm goes past Prometheus"
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 90
    error_message = "the log is kept for 90 days"
  }
}

run "servers_are_told_where_to_write" {
  command = apply

  assert {
    condition     = output.remote_write_url == "https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-00000000-0000-0000-0000-000000000000/api/v1/remote_write"
    error_message = "the address of remote write is that of the workspace"
  }
}

run "odd_names_queues_in_order_late_rules_and_odd_retentions_are_refused" {
  command = plan
  variables {
    name               = "Fest"
    region             = "Frankfurt"
    topic_arns         = { on-call = "arn:aws:sns:eu-central-1:123456789012:pages.fifo", chat = "chat" }
    alarm_topic_arn    = "alarms"
    evaluation_seconds = 60
    log_days           = 1
    metric_namespace   = "AWS/Prometheus"
  }
  expect_failures = [var.metric_namespace, var.name, var.region, var.topic_arns, var.alarm_topic_arn, var.evaluation_seconds, var.log_days]
}

run "a_receiver_without_a_topic_is_refused" {
  command = plan
  variables {
    topic_arns = { on-call = "arn:aws:sns:eu-central-1:123456789012:fest-test-pages" }
  }
  expect_failures = [aws_prometheus_alert_manager_definition.this]
}
