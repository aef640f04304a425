# Alarms as data: what is measured, from when on somebody is told, and what to look at then.

locals {
  targets = { LoadBalancer = var.load_balancer.load_balancer, TargetGroup = var.load_balancer.target_group }
  minute  = { period = 60, missing = "notBreaching" }

  balancer_alarms = {
    no-server = merge(local.minute, {
      description = "No server is ready: nobody can buy. Look at: fest doctor; GET /health/ready on a machine; Redis."
      namespace   = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.targets, statistic = "Minimum"
      above       = false, threshold = 1, periods = 1, missing = "breaching"
    })
    server-missing = merge(local.minute, {
      description = "A server has not been ready for five minutes. Look at: its log; systemctl status fest fest-prepare on its machine. Lasts some minutes in a rolling replacement."
      namespace   = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.targets, statistic = "Minimum"
      above       = false, threshold = length(var.servers), periods = 5, missing = "breaching"
    })
    connections-rejected = merge(local.minute, {
      description = "The load balancer turns connections away. Look at: reserved_capacity_units."
      namespace   = "AWS/ApplicationELB", metric = "RejectedConnectionCount", dimensions = { LoadBalancer = var.load_balancer.load_balancer }, statistic = "Sum"
      above       = true, threshold = 0, periods = 1
    })
    slow = merge(local.minute, {
      description = "One answer in a hundred takes more than a second, for three minutes. Look at: fest watch; the machines' processors and credits."
      namespace   = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.targets, statistic = "p99"
      above       = true, threshold = 1, periods = 3
    })
  }

  server_alarms = merge([for name, server in var.servers : {
    "${name}-memory" = merge(local.minute, {
      description = "The machine of ${name} uses more than nine tenths of its memory. Look at: fest watch; WebSockets (FEST_LIVE_SOCKETS)."
      namespace   = local.metric_namespace, metric = "mem_used_percent", dimensions = { server = name }, statistic = "Maximum"
      above       = true, threshold = 90, periods = 5
    })
    "${name}-log-space" = merge(local.minute, {
      description = "The order log of ${name} fills its volume. Full, it refuses new payments. Make log_volume.size_gib larger, and restart the machine."
      namespace   = local.metric_namespace, metric = "disk_used_percent", dimensions = { server = name, path = "/var/lib/fest" }, statistic = "Maximum"
      above       = true, threshold = 70, periods = 5
    })
    "${name}-log-stalled" = merge(local.minute, {
      description = "The volume of the order log of ${name} does not finish what is written: payments of this server wait. Look at: AWS Health; take the server out of the load balancer."
      namespace   = "AWS/EBS", metric = "VolumeStalledIOCheck", dimensions = { VolumeId = server.volume }, statistic = "Maximum"
      above       = true, threshold = 0, periods = 1
    })
    "${name}-machine" = merge(local.minute, {
      description = "The machine of ${name} fails its status checks; its group replaces it. Look at: whether the new one gets the volume (log stream …-prepare)."
      namespace   = "AWS/EC2", metric = "StatusCheckFailed", dimensions = { AutoScalingGroupName = server.group }, statistic = "Maximum"
      above       = true, threshold = 0, periods = 2
    })
  }]...)

  credit_alarms = merge([for name, server in var.servers : {
    unlimited = {
      "${name}-credits" = {
        description = "${name} has used more processor than its baseline for a day, and costs extra (5 cents an hour of a processor). After a sale: nothing to do. Otherwise: a larger machine."
        namespace   = "AWS/EC2", metric = "CPUSurplusCreditsCharged", dimensions = { AutoScalingGroupName = server.group }, statistic = "Maximum"
        above       = true, threshold = 0, period = 300, periods = 3, missing = "notBreaching"
      }
    }
    standard = {
      "${name}-credits" = {
        description = "${name} has processor credits for half an hour of a sale left (48 = 30 minutes of two processors, less what is earned); then it slows down to its baseline. Set cpu_credits to unlimited."
        namespace   = "AWS/EC2", metric = "CPUCreditBalance", dimensions = { AutoScalingGroupName = server.group }, statistic = "Minimum"
        above       = false, threshold = 48, period = 300, periods = 1, missing = "notBreaching"
      }
    }
    none = {}
  }[var.cpu_credits]]...)

  store_alarms = merge({
    mysql-space = merge(local.minute, {
      description = "MySQL has less than 4 GiB of disk left, and has not grown. Look at: storage_max_gib."
      namespace   = "AWS/RDS", metric = "FreeStorageSpace", dimensions = { DBInstanceIdentifier = var.mysql_identifier }, statistic = "Minimum"
      above       = false, threshold = 4 * pow(1024, 3), periods = 5
    })
    mysql-processor = merge(local.minute, {
      description = "MySQL's processor is busy for ten minutes. Look at: the slow log; orders that wait to be archived (fest watch)."
      namespace   = "AWS/RDS", metric = "CPUUtilization", dimensions = { DBInstanceIdentifier = var.mysql_identifier }, statistic = "Average"
      above       = true, threshold = 90, periods = 10
    })
    mysql-memory = merge(local.minute, {
      description = "MySQL has less than 100 MiB of memory left. Look at: instance_class, connections."
      namespace   = "AWS/RDS", metric = "FreeableMemory", dimensions = { DBInstanceIdentifier = var.mysql_identifier }, statistic = "Minimum"
      above       = false, threshold = 100 * pow(1024, 2), periods = 10
    })
    }, merge([for node in var.redis_node_ids : {
      "${node}-memory" = merge(local.minute, {
        description = "Redis uses more than seven tenths of its memory. Full, it refuses joins and holds (noeviction). Look at: node_type; sales that are over."
        namespace   = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = { CacheClusterId = node }, statistic = "Maximum"
        above       = true, threshold = 70, periods = 3
      })
      "${node}-processor" = merge(local.minute, {
        description = "Redis' processor is busy: joins and holds wait. Look at: fest watch; fest sale rate."
        namespace   = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = { CacheClusterId = node }, statistic = "Average"
        above       = true, threshold = 80, periods = 3
      })
      "${node}-evictions" = merge(local.minute, {
        description = "Redis has evicted keys: holds are lost. Its policy is not noeviction any more. Put it right (terraform apply), then fest audit."
        namespace   = "AWS/ElastiCache", metric = "Evictions", dimensions = { CacheClusterId = node }, statistic = "Sum"
        above       = true, threshold = 0, periods = 1
      })
  }]...))

  # ElastiCache knows no unlimited credits.
  redis_credit_alarms = {
    for node in var.redis_burstable ? var.redis_node_ids : [] : "${node}-credits" => {
      description = "${node} has processor credits for half an hour of a sale left (48 = 30 minutes of two processors, less what is earned); then joins and holds slow down. A new node has none for two hours. Look at: node_type."
      namespace   = "AWS/ElastiCache", metric = "CPUCreditBalance", dimensions = { CacheClusterId = node }, statistic = "Minimum"
      above       = false, threshold = 48, period = 300, periods = 1, missing = "notBreaching"
    }
  }

  log_alarms = {
    errors = merge(local.minute, {
      description = "A server has logged an error. Look at: the log group, levels error and fatal. An order log that failed, a worker that ended, a rebuild that does not get on."
      namespace   = local.metric_namespace, metric = "errors", dimensions = {}, statistic = "Sum"
      above       = true, threshold = 0, periods = 1
    })
  }

  alarms = merge(local.balancer_alarms, local.server_alarms, local.credit_alarms, local.store_alarms, local.redis_credit_alarms, local.log_alarms)
}
