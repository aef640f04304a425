# The simulated payment gateway keeps its ledger in a folder that all servers share. With a real gateway this file goes.

resource "aws_efs_file_system" "gateway" {
  encrypted        = true
  performance_mode = "generalPurpose"
  throughput_mode  = "elastic"
  tags             = merge(local.deployment_tag, { Name = "${var.name}-gateway" })
}

resource "aws_efs_mount_target" "gateway" {
  for_each = { for slot in values(var.slots) : slot.zone => slot.subnet_id... }

  file_system_id  = aws_efs_file_system.gateway.id
  subnet_id       = each.value[0]
  security_groups = [var.security_group_ids.gateway]
}

# With a policy nobody mounts who is not allowed to by a role; and nobody in the clear.
resource "aws_efs_file_system_policy" "gateway" {
  file_system_id = aws_efs_file_system.gateway.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "NothingInTheClear"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = "*"
      Resource  = aws_efs_file_system.gateway.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
