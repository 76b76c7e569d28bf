# A queue, and a function for its messages; those that fail come again, alone.

module "sqs" {
  source  = "./function"
  name    = "hello-sqs"
  zip     = local.zip
  handler = "hello.jobs.handler"
  timeout = 60 # for a whole batch
}

resource "aws_sqs_queue" "orders" {
  name                       = "hello-orders"
  visibility_timeout_seconds = 360 # six times the function's, as AWS advises: less delivers messages twice

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.failed.arn
    maxReceiveCount     = 5
  })
}

resource "aws_sqs_queue" "failed" { # what failed five times
  name                      = "hello-failed"
  message_retention_seconds = 1209600 # 14 days, the longest
}

resource "aws_lambda_event_source_mapping" "orders" {
  depends_on              = [aws_iam_role_policy.orders] # without which Lambda refuses the mapping
  event_source_arn        = aws_sqs_queue.orders.arn
  function_name           = module.sqs.arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"] # without it one failure would bring back all ten

  scaling_config {
    maximum_concurrency = 10 # environments at a time; without it, as many as there are messages for
  }
}

resource "aws_iam_role_policy" "orders" {
  name = "orders"
  role = module.sqs.role

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
      Resource = aws_sqs_queue.orders.arn
    }]
  })
}

output "orders_url" {
  description = "Where orders are sent, with `aws sqs send-message`"
  value       = aws_sqs_queue.orders.url
}

output "failed_url" {
  value = aws_sqs_queue.failed.url
}
