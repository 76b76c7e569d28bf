# A WebSocket API, and a table for what is kept of its connections.

module "websocket" {
  source      = "./function"
  name        = "hello-websocket"
  zip         = local.zip
  handler     = "hello.sockets.handler"
  timeout     = 29 # what a WebSocket API waits
  environment = { LAMBENT_STORE = "dynamodb://${aws_dynamodb_table.connections.name}" }
}

resource "aws_apigatewayv2_api" "socket" {
  name                       = "hello-websocket"
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action" # asked for, though all messages go to $default
}

resource "aws_apigatewayv2_integration" "socket" {
  api_id           = aws_apigatewayv2_api.socket.id
  integration_type = "AWS_PROXY"
  integration_uri  = module.websocket.invoke_arn
}

resource "aws_apigatewayv2_route" "socket" {
  for_each  = toset(["$connect", "$default", "$disconnect"])
  api_id    = aws_apigatewayv2_api.socket.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.socket.id}"
}

resource "aws_apigatewayv2_stage" "socket" {
  api_id      = aws_apigatewayv2_api.socket.id
  name        = "live"
  auto_deploy = true

  default_route_settings { # in place of the account's, which one client could use up
    throttling_burst_limit = 100
    throttling_rate_limit  = 50
  }
}

resource "aws_lambda_permission" "socket" {
  action        = "lambda:InvokeFunction"
  function_name = module.websocket.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.socket.execution_arn}/${aws_apigatewayv2_stage.socket.name}/*"
}

resource "aws_dynamodb_table" "connections" { # keys as `lambent stores init dynamodb://...` makes them
  name         = "hello-connections"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  ttl { # of those whose $disconnect never came
    attribute_name = "expires"
    enabled        = true
  }
}

resource "aws_iam_role_policy" "socket" {
  name = "connections"
  role = module.websocket.role

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { # to send to clients, and close their connections
        Effect   = "Allow"
        Action   = "execute-api:ManageConnections"
        Resource = "${aws_apigatewayv2_stage.socket.execution_arn}/*/@connections/*"
      },
      {
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query"]
        Resource = aws_dynamodb_table.connections.arn
      },
    ]
  })
}

output "websocket_url" {
  value = aws_apigatewayv2_stage.socket.invoke_url
}
