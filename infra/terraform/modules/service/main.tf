# A server is a slot: a name, a volume with its order log, and a group of exactly one machine in the zone of the volume. A machine
# that dies is replaced by the group; the new one takes the volume, and with it the orders that were not in MySQL yet.

locals {
  deployment_tag = { "fest:deployment" = var.name }
  # A server that stops answers as always for as long as the load balancer takes to notice, and a little longer.
  lame_duck_seconds = var.notice_seconds + 2
  # limits/process.ts: a stop takes the lame duck's time and 17 s at most; and some more for a busy machine.
  stop_seconds = local.lame_duck_seconds + 17 + 15
}

data "aws_region" "current" {}

resource "aws_ebs_volume" "log" {
  for_each = var.slots

  availability_zone = each.value.zone
  type              = "gp3"
  size              = var.log_volume.size_gib
  iops              = var.log_volume.iops
  throughput        = var.log_volume.throughput
  encrypted         = true
  final_snapshot    = true
  tags              = merge(local.deployment_tag, { Name = "${var.name}-${each.key}-log" })

  # Orders that were acknowledged and are not in MySQL are here and nowhere else.
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_launch_template" "server" {
  for_each = var.slots

  name                   = "${var.name}-${each.key}"
  image_id               = var.ami_id
  instance_type          = var.instance_type
  update_default_version = true
  user_data              = base64gzip(local.user_data[each.key]) # AWS takes 16 KiB
  # A shutdown from inside ends the machine too; the volume is not the machine's.
  instance_initiated_shutdown_behavior = "terminate"

  iam_instance_profile {
    name = var.instance_profile_name
  }

  network_interfaces {
    security_groups             = [var.security_group_ids.server]
    associate_public_ip_address = false
    delete_on_termination       = true
  }

  # Figures of the processor every minute: at one in five, half a sale is over before the first. (Credits stay at five.)
  monitoring {
    enabled = true
  }

  # IMDSv2 only, and not from containers.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  dynamic "credit_specification" {
    for_each = startswith(var.instance_type, "t") ? [var.cpu_credits] : []

    content {
      cpu_credits = credit_specification.value
    }
  }

  # System and releases: nothing here that is missed.
  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = 12
      encrypted             = true
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])

    content {
      resource_type = tag_specifications.value
      tags          = merge(tag_specifications.value == "instance" ? local.deployment_tag : {}, { Name = "${var.name}-${each.key}", "fest:slot" = each.key })
    }
  }
}

resource "aws_autoscaling_group" "server" {
  for_each = var.slots

  name                = "${var.name}-${each.key}"
  vpc_zone_identifier = [each.value.subnet_id]
  min_size            = 1
  max_size            = 1
  desired_capacity    = 1
  target_group_arns   = [var.target_group_arn]

  # By the machine, not by /health/ready: that is 503 while Redis is away, and machines that are replaced then would help nobody.
  health_check_type         = "EC2"
  health_check_grace_period = 300

  launch_template {
    id      = aws_launch_template.server[each.key].id
    version = aws_launch_template.server[each.key].latest_version
  }

  # The old machine first: the volume can be with one only.
  instance_maintenance_policy {
    min_healthy_percentage = 0
    max_healthy_percentage = 100
  }

  tag {
    key                 = "fest:deployment"
    value               = var.name
    propagate_at_launch = false
  }
}
