# Prometheus and Alertmanager as a service of AWS, with the rules and routes of infra/observability: there is one source of both.
# Servers bring their figures (the agent's Prometheus part, module service), the rules are evaluated here, and SNS tells people.

locals {
  source = "${path.module}/../../../observability"

  rule_files = merge(
    { for file in fileset("${local.source}/prometheus/rules", "*.yml") : trimsuffix(file, ".yml") => file("${local.source}/prometheus/rules/${file}") },
    { arrival = file("${path.module}/rules/arrival.yml") },
  )
  # As they are, but for how often: AWS would evaluate groups that do not say so once a minute, and prometheus.yml is not read here.
  rules = { for name, text in local.rule_files : name => {
    groups = [for group in yamldecode(text).groups : merge({ interval = "${var.evaluation_seconds}s" }, group)]
  } }

  # The routes are those of the example, its receivers are topics: AWS's Alertmanager tells SNS and nobody else.
  example = yamldecode(file("${local.source}/alertmanager/alertmanager.yml"))
  alertmanager = {
    route         = local.example.route
    inhibit_rules = local.example.inhibit_rules
    receivers = [for receiver in local.example.receivers : {
      name = receiver.name
      sns_configs = [{
        topic_arn     = lookup(var.topic_arns, receiver.name, "")
        sigv4         = { region = var.region }
        send_resolved = true
        # At most 100 characters of ASCII, without a line's end.
        subject = "${var.name}: {{ .CommonLabels.alertname }} {{ .Status }}"
        message = local.message
      }]
    }]
  }
  message = <<-EOT
    {{ range .Alerts }}{{ .Status }}: {{ .Annotations.summary }}
    {{ .Annotations.description }}
    since {{ .StartsAt }}; see {{ .Annotations.runbook_url }}

    {{ end }}
  EOT
}

resource "aws_prometheus_workspace" "this" {
  alias = var.name

  # What becomes of notifications that SNS does not take, and of rules that cannot be evaluated.
  logging_configuration {
    log_group_arn = "${aws_cloudwatch_log_group.this.arn}:*"
  }
}

resource "aws_prometheus_rule_group_namespace" "this" {
  for_each = local.rules

  name         = each.key
  workspace_id = aws_prometheus_workspace.this.id
  data         = yamlencode(each.value)
}

resource "aws_prometheus_alert_manager_definition" "this" {
  workspace_id = aws_prometheus_workspace.this.id
  definition   = yamlencode({ alertmanager_config = yamlencode(local.alertmanager) })

  lifecycle {
    precondition {
      condition     = toset([for receiver in local.example.receivers : receiver.name]) == toset(keys(var.topic_arns))
      error_message = "topic_arns must have a topic for each receiver of infra/observability/alertmanager/alertmanager.yml, and no others."
    }
  }
}
