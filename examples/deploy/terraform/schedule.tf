# A function that runs each night.

module "schedule" {
  source  = "./function"
  name    = "hello-schedule"
  zip     = local.zip
  handler = "hello.jobs.handler"
  timeout = 300 # nobody waits for it
}

resource "aws_lambda_function_event_invoke_config" "nightly" {
  function_name                = module.schedule.name
  maximum_retry_attempts       = 1 # when the function fails; Lambda's own number is 2
  maximum_event_age_in_seconds = 3600
}

resource "aws_scheduler_schedule" "nightly" {
  name                         = "hello-nightly"
  schedule_expression          = "cron(30 2 * * ? *)"
  schedule_expression_timezone = "Europe/Berlin" # with its summer time

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15 # at 2:30 start the jobs of many
  }

  target {
    arn      = module.schedule.arn
    role_arn = aws_iam_role.scheduler.arn

    retry_policy { # when the function cannot be reached
      maximum_retry_attempts       = 3
      maximum_event_age_in_seconds = 3600
    }
  }
}

data "aws_caller_identity" "current" {}

resource "aws_iam_role" "scheduler" {
  name_prefix = "hello-scheduler-"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name = "invoke"
  role = aws_iam_role.scheduler.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = module.schedule.arn
    }]
  })
}

output "scheduled_function" {
  description = "For a run by hand, with `aws lambda invoke`"
  value       = module.schedule.name
}
