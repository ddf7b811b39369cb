// Kstatus says what the library behind Flux, kpt and `helm --wait` makes of Kubernetes objects.
//
// It reads one JSON object after the other and writes one line of JSON for each: {"status", "message"}.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func main() {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		object := &unstructured.Unstructured{}
		if err := in.Decode(object); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		found, err := status.Compute(object)
		if err != nil {
			log.Fatal(err)
		}
		if err := out.Encode(verdict{found.Status.String(), found.Message}); err != nil {
			log.Fatal(err)
		}
	}
}
