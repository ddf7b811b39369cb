//go:build tools

// Package tools pins Toxiproxy, which disturbs the network on purpose in the chaos tests.
package tools

import _ "github.com/Shopify/toxiproxy/v2/cmd/server"
