// Prints what Kubernetes' own parser makes of each line of its input, as JSON.
// In an empty module: go get k8s.io/apimachinery@v0.36.3 && go run . < texts > quantities_of_go.json
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/api/resource"
)

func main() {
	input := bufio.NewScanner(os.Stdin)
	fmt.Println("[")
	for first := true; input.Scan(); first = false {
		var text string
		if err := json.Unmarshal(input.Bytes(), &text); err != nil {
			panic(err)
		}
		line := map[string]any{"text": text}
		if quantity, err := resource.ParseQuantity(text); err == nil {
			line["value"] = quantity.Value()
			line["milli"] = quantity.MilliValue()
			line["exact"] = quantity.AsDec().String()
		}
		if !first {
			fmt.Println(",")
		}
		out, _ := json.Marshal(line)
		fmt.Printf("  %s", out)
	}
	fmt.Println("\n]")
}
