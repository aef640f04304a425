# What a new machine is told: files, and which units to start. No secret is in it: the server's start fetches them (fest-server).

locals {
  machine_env = { for name, slot in var.slots : name => templatefile("${path.module}/templates/machine.env.tftpl", {
    region              = data.aws_region.current.name
    volume_id           = aws_ebs_volume.log[name].id
    gateway_file_system = aws_efs_file_system.gateway.id
    release_bucket      = var.release.bucket
    release_key         = var.release.key
    release_sha256      = var.release.sha256
    keys_secret         = var.secret_arns.keys
    accounts_secret     = var.secret_arns.accounts
    mysql_secret        = var.stores.mysql_secret_arn
    mysql_address       = var.stores.mysql_address
    mysql_database      = var.stores.mysql_database
    redis_secret        = var.stores.redis_secret_arn
    redis_address       = var.stores.redis_address
  }) }

  server_env = { for name, slot in var.slots : name => templatefile("${path.module}/templates/server.env.tftpl", {
    port            = var.server_port
    server_name     = name
    environment     = var.environment
    workers         = var.workers
    lame_duck_ms    = local.lame_duck_seconds * 1000
    trusted_proxies = join(",", var.trusted_proxies)
    mysql_pool_size = var.mysql_pool_size
    log_level       = var.log_level
    extra           = join("\n", [for key, value in var.extra_environment : "${key}=${value}"])
  }) }

  unit = templatefile("${path.module}/templates/fest.service.tftpl", { stop_seconds = local.stop_seconds })

  agent = { for name, slot in var.slots : name => templatefile("${path.module}/templates/cloudwatch-agent.json.tftpl", {
    log_group = var.log_group_name
    slot      = name
    namespace = var.metric_namespace
  }) }

  prometheus = { for name, slot in var.slots : name => templatefile("${path.module}/templates/prometheus.yaml.tftpl", {
    region           = data.aws_region.current.name
    slot             = name
    port             = var.server_port
    scrape_seconds   = var.scrape_seconds
    remote_write_url = var.remote_write_url
  }) }

  files = { for name, slot in var.slots : name => [
    { path = "/etc/fest/machine.env", permissions = "0644", content = local.machine_env[name] },
    { path = "/etc/fest/server.env", permissions = "0644", content = local.server_env[name] },
    { path = "/etc/fest/cloudwatch-agent.json", permissions = "0644", content = local.agent[name] },
    { path = "/etc/fest/prometheus.yaml", permissions = "0644", content = local.prometheus[name] },
    { path = "/etc/logrotate.d/fest", permissions = "0644", content = file("${path.module}/templates/logrotate") },
    { path = "/etc/systemd/system/fest-prepare.service", permissions = "0644", content = file("${path.module}/templates/fest-prepare.service") },
    { path = "/etc/systemd/system/fest-agent.service", permissions = "0644", content = file("${path.module}/templates/fest-agent.service") },
    { path = "/etc/systemd/system/fest.service", permissions = "0644", content = local.unit },
    { path = "/usr/local/sbin/fest-prepare", permissions = "0755", content = file("${path.module}/templates/fest-prepare") },
    { path = "/usr/local/bin/fest-server", permissions = "0755", content = file("${path.module}/templates/fest-server") },
  ] }

  # The same number on every machine: files on the volume and on the gateway's folder are this user's.
  user_id = 8765

  # JSON is YAML, and needs no indentation of what is put into it.
  user_data = { for name, slot in var.slots : name => join("\n", ["#cloud-config", jsonencode({
    write_files = local.files[name]
    users       = ["default", { name = "fest", uid = local.user_id, system = true, homedir = "/var/lib/fest", no_create_home = true, shell = "/usr/sbin/nologin" }]
    runcmd = [
      ["systemctl", "daemon-reload"],
      ["systemctl", "enable", "--now", "--no-block", "fest-prepare.service", "fest-agent.service", "fest.service"],
    ]
  })]) }
}
