mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name          = "fest-test"
  region        = "eu-central-1"
  emails        = ["sre@example.org", "second@example.org"]
  load_balancer = { load_balancer = "app/fest-test/1", target_group = "targetgroup/fest-test/1" }
  servers = {
    server-1 = { group = "fest-test-server-1", volume = "vol-1" }
    server-2 = { group = "fest-test-server-2", volume = "vol-2" }
  }
  cpu_credits      = "unlimited"
  mysql_identifier = "fest-test"
  redis_node_ids   = ["fest-test-001", "fest-test-002"]
  redis_burstable  = true
}

run "somebody_is_told_of_each_alarm_and_when_it_is_over" {
  command = apply

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && alarm.ok_actions == toset([aws_sns_topic.alarms.arn])])
    error_message = "every alarm tells the topic, and tells it when all is well again"
  }
  assert {
    condition     = toset([for subscription in aws_sns_topic_subscription.email : subscription.endpoint]) == toset(["sre@example.org", "second@example.org"])
    error_message = "everybody given is subscribed to the topic"
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : length(alarm.alarm_description) > 60])
    error_message = "every alarm says what it means and what to look at"
  }
  assert {
    condition     = length(output.alarm_names) == 27
    error_message = "there are as many alarms as there are things to look at: 5 of the load balancer, 5 of each server, 3 of MySQL, 4 of each node of Redis, 1 of the log"
  }
}

run "alarms_are_about_what_stops_a_sale" {
  command = apply

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["no-server"].threshold == 1 && aws_cloudwatch_metric_alarm.this["no-server"].treat_missing_data == "breaching"
    error_message = "no server that is ready is an alarm, and so is not knowing"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["server-missing"].threshold == 2
    error_message = "one server of two missing is an alarm"
  }
  assert {
    condition     = alltrue([for node in ["fest-test-001", "fest-test-002"] : aws_cloudwatch_metric_alarm.this["${node}-evictions"].threshold == 0])
    error_message = "a single key that Redis evicts is an alarm"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["server-2-log-stalled"].dimensions == tomap({ VolumeId = "vol-2" }) && aws_cloudwatch_metric_alarm.this["server-1-log-space"].dimensions == tomap({ server = "server-1", path = "/var/lib/fest" })
    error_message = "each order log's volume is watched: whether it moves, and whether it has room"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["server-1-credits"].metric_name == "CPUSurplusCreditsCharged"
    error_message = "with unlimited credits an alarm tells when they cost"
  }
  assert {
    condition     = alltrue([for node in ["fest-test-001", "fest-test-002"] : aws_cloudwatch_metric_alarm.this["${node}-credits"].metric_name == "CPUCreditBalance"])
    error_message = "Redis has no unlimited credits: an alarm comes before they are gone"
  }
  assert {
    condition     = aws_cloudwatch_log_metric_filter.errors.pattern == "{ ($.level = \"error\") || ($.level = \"fatal\") }" && aws_cloudwatch_metric_alarm.this["errors"].threshold == 0
    error_message = "an error in the servers' log is an alarm"
  }
  assert {
    condition     = one([for query in aws_cloudwatch_metric_alarm.failing.metric_query : query.expression if query.id == "share"]) == "IF(requests > 100, (FILL(ours, 0) + FILL(theirs, 0)) / requests, 0)"
    error_message = "5xx are an alarm by their share of all answers"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["slow"].extended_statistic == "p99" && aws_cloudwatch_metric_alarm.this["slow"].statistic == null
    error_message = "slow means the 99th percentile"
  }
}

run "logs_are_kept_for_as_long_as_is_said_and_the_dashboard_shows_every_server" {
  command = apply

  assert {
    condition     = aws_cloudwatch_log_group.server.retention_in_days == 90 && aws_cloudwatch_log_group.server.name == "/fest/fest-test/server"
    error_message = "logs are kept for 90 days"
  }
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 9
    error_message = "the dashboard has eight charts and the log"
  }
  assert {
    condition     = alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : alltrue([for line in try(widget.properties.metrics, []) : length(line) >= 4 && can(regex("^(AWS/|fest/)", line[0]))])])
    error_message = "each line of a chart has a namespace, a metric and dimensions"
  }
  assert {
    condition     = alltrue([for text in ["fest-test-server-1", "fest-test-server-2", "fest-test-002", "CPUCreditBalance"] : strcontains(aws_cloudwatch_dashboard.this.dashboard_body, text)])
    error_message = "every server and node is on it, with processor credits"
  }
}

run "with_standard_credits_an_alarm_comes_before_they_are_gone" {
  command = apply

  variables {
    cpu_credits = "standard"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["server-1-credits"].metric_name == "CPUCreditBalance" && aws_cloudwatch_metric_alarm.this["server-1-credits"].threshold == 48
    error_message = "half an hour of two busy processors before the end somebody is told"
  }
}

run "machines_that_are_not_burstable_have_no_credits_to_watch" {
  command = apply

  variables {
    cpu_credits     = "none"
    redis_burstable = false
  }

  assert {
    condition     = length([for name in keys(aws_cloudwatch_metric_alarm.this) : name if endswith(name, "-credits")]) == 0
    error_message = "no alarm waits for figures that never come"
  }
}

run "nobody_to_tell_odd_retentions_no_servers_and_unknown_credits_are_refused" {
  command = plan

  variables {
    name        = "Fest"
    emails      = []
    log_days    = 1
    servers     = {}
    cpu_credits = "some"
    region      = "Frankfurt"

    load_balancer    = { load_balancer = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/fest-test/1", target_group = "targetgroup/fest-test/1" }
    mysql_identifier = "arn:aws:rds:eu-central-1:123456789012:db:fest-test"
    redis_node_ids   = ["fest-test"]
  }

  expect_failures = [var.region, var.load_balancer, var.mysql_identifier, var.redis_node_ids, var.name, var.emails, var.log_days, var.servers, var.cpu_credits]
}
