"""gRPC servicers: translate, call one use case, answer."""
