locals {
  charts = {
    "Requests a minute, and 5xx" = concat(
      [["AWS/ApplicationELB", "RequestCount", "LoadBalancer", var.load_balancer.load_balancer, { stat = "Sum" }]],
      [for metric in ["HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"] : ["AWS/ApplicationELB", metric, "LoadBalancer", var.load_balancer.load_balancer, { stat = "Sum", yAxis = "right" }]],
    )
    "Time to answer, s" = [for quantile in ["p50", "p99"] :
    ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", var.load_balancer.load_balancer, { stat = quantile, label = quantile }]]
    "Servers that are ready" = [["AWS/ApplicationELB", "HealthyHostCount", "TargetGroup", var.load_balancer.target_group, "LoadBalancer", var.load_balancer.load_balancer, { stat = "Minimum" }]]
    "Connections" = [for metric in ["ActiveConnectionCount", "NewConnectionCount", "RejectedConnectionCount"] :
    ["AWS/ApplicationELB", metric, "LoadBalancer", var.load_balancer.load_balancer, { stat = "Sum" }]]
    "Processor of the servers, %, and credits" = flatten([for name, server in var.servers : [for line in [
      ["AWS/EC2", "CPUUtilization", "AutoScalingGroupName", server.group, { label = name }],
      ["AWS/EC2", "CPUCreditBalance", "AutoScalingGroupName", server.group, { label = "${name} credits", yAxis = "right" }],
      ["AWS/EC2", "CPUSurplusCreditBalance", "AutoScalingGroupName", server.group, { label = "${name} owed", yAxis = "right" }],
    ] : jsonencode(line)]])
    "Memory and order log of the servers, %" = flatten([for name, server in var.servers : [for line in [
      [local.metric_namespace, "mem_used_percent", "server", name, { label = "${name} memory" }],
      [local.metric_namespace, "disk_used_percent", "server", name, "path", "/var/lib/fest", { label = "${name} order log" }],
    ] : jsonencode(line)]])
    "MySQL: processor %, connections" = [
      ["AWS/RDS", "CPUUtilization", "DBInstanceIdentifier", var.mysql_identifier, {}],
      ["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", var.mysql_identifier, { yAxis = "right" }],
    ]
    "Redis: processor %, memory %" = flatten([for node in var.redis_node_ids : [for metric in ["EngineCPUUtilization", "DatabaseMemoryUsagePercentage"] :
    jsonencode(["AWS/ElastiCache", metric, "CacheClusterId", node, {}])]])
  }

  # Lists of lists of different kinds do not fit into one type of Terraform: some are kept as text until here.
  metrics = { for title, lines in local.charts : title => [for line in lines : try(jsondecode(line), line)] }
  titles  = keys(local.metrics)
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = concat([for index, title in local.titles : {
      type   = "metric"
      x      = 12 * (index % 2)
      y      = 6 * floor(index / 2)
      width  = 12
      height = 6
      properties = {
        title   = title
        region  = var.region
        view    = "timeSeries"
        period  = 60
        metrics = local.metrics[title]
      }
      }], [{
      type   = "log"
      x      = 0
      y      = 6 * ceil(length(local.titles) / 2)
      width  = 24
      height = 6
      properties = {
        title  = "Warnings and errors of the servers"
        region = var.region
        view   = "table"
        query  = "SOURCE '${aws_cloudwatch_log_group.server.name}' | fields @timestamp, server, level, msg | filter level in [\"warn\", \"error\", \"fatal\"] | sort @timestamp desc | limit 50"
      }
    }])
  })
}
