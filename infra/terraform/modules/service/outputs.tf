output "group_names" {
  description = "Auto Scaling group of each server."
  value       = { for name, group in aws_autoscaling_group.server : name => group.name }
}

output "volume_ids" {
  description = "Volume with the order log of each server."
  value       = { for name, volume in aws_ebs_volume.log : name => volume.id }
}

output "roll_document" {
  description = "Document of Systems Manager that replaces the servers one after the other."
  value       = aws_ssm_document.roll.name
}

output "gateway_file_system_arn" {
  description = "File system of the simulated payment gateway."
  value       = aws_efs_file_system.gateway.arn
}

output "user_data" {
  description = "What each server's machine is told when it starts; no secrets are in it."
  value       = local.user_data
}

output "zones" {
  description = "Each server's zone, in which the volume of its order log is."
  value       = { for name, volume in aws_ebs_volume.log : name => volume.availability_zone }
}
