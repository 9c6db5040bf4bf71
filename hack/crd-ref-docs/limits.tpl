{{- /* What the schema demands of a field. */ -}}
{{- define "limits" -}}
{{- $markers := .Markers -}}
{{- $found := dict "limits" list -}}
{{- if $markers.Get "required" -}}{{- template "limit" dict "found" $found "text" "required" -}}{{- end -}}
{{- with $markers.Get "kubebuilder:validation:Enum" -}}
  {{- $values := list -}}
  {{- range . -}}{{- $values = append $values (printf "`%v`" .) -}}{{- end -}}
  {{- template "limit" dict "found" $found "text" (join ", " $values) -}}
{{- end -}}
{{- $limits := dict "found" $found "markers" $markers -}}
{{- template "range" merge (dict "of" "imum") $limits -}}
{{- template "range" merge (dict "of" "Length" "unit" " characters") $limits -}}
{{- template "range" merge (dict "of" "Items" "unit" " items") $limits -}}
{{- template "range" merge (dict "of" "Properties" "unit" " entries") $limits -}}
{{- template "range" merge (dict "prefix" "items:" "of" "Length" "unit" " characters each") $limits -}}
{{- if eq (toString ($markers.Get "listType")) "set" -}}
  {{- template "limit" dict "found" $found "text" "no repetition" -}}
{{- end -}}
{{- with index $markers "listMapKey" -}}
  {{- $keys := list -}}
  {{- range . -}}{{- $keys = append $keys (printf "`%v`" .) -}}{{- end -}}
  {{- template "limit" dict "found" $found "text" (printf "one per %s" (join " and " $keys)) -}}
{{- end -}}
{{- join "; " $found.limits | replace "at least 1 items" "at least 1 item" -}}
{{- end -}}

{{- define "limit" -}}
{{- $_ := set .found "limits" (append .found.limits .text) -}}
{{- end -}}

{{- /* The least and the most of a number, or of how many there are: the markers Min... and Max... */ -}}
{{- define "range" -}}
{{- $prefix := printf "kubebuilder:validation:%s" (default "" .prefix) -}}
{{- $min := .markers.Get (printf "%sMin%s" $prefix .of) -}}
{{- $max := .markers.Get (printf "%sMax%s" $prefix .of) -}}
{{- $unit := default "" .unit -}}
{{- $text := "" -}}
{{- if and (ne $min nil) (ne $max nil) -}}
  {{- $text = printf "%.0f to %.0f%s" (float64 (toString $min)) (float64 (toString $max)) $unit -}}
{{- else if ne $min nil -}}
  {{- $text = printf "at least %.0f%s" (float64 (toString $min)) $unit -}}
{{- else if ne $max nil -}}
  {{- $text = printf "at most %.0f%s" (float64 (toString $max)) $unit -}}
{{- end -}}
{{- if $text -}}{{- template "limit" dict "found" .found "text" $text -}}{{- end -}}
{{- end -}}

{{- /* The rules in CEL, of the type as a whole and of its fields, as the messages of those who break them. */ -}}
{{- define "rules" -}}
{{- $rules := list -}}
{{- range index .type.Markers "kubebuilder:validation:XValidation" -}}
  {{- $rules = append $rules (dict "at" (trimPrefix "." .FieldPath) "message" .Message) -}}
{{- end -}}
{{- range $field := .type.Fields -}}
  {{- /* Where a field holds one of our own types, crd-ref-docs gives it the rules of that type; they are shown there. */ -}}
  {{- $elsewhere := list -}}
  {{- if and (eq $field.Type.Package $.package) (ne (int $field.Type.Kind) 0) -}}
    {{- range index $field.Type.Markers "kubebuilder:validation:XValidation" -}}
      {{- $elsewhere = append $elsewhere .Rule -}}
    {{- end -}}
  {{- end -}}
  {{- range index $field.Markers "kubebuilder:validation:XValidation" -}}
    {{- if not (has .Rule $elsewhere) -}}
      {{- $rules = append $rules (dict "at" $field.Name "message" .Message) -}}
    {{- end -}}
  {{- end -}}
  {{- range index $field.Markers "kubebuilder:validation:items:XValidation" -}}
    {{- $rules = append $rules (dict "at" (printf "%s[]" $field.Name) "message" .Message) -}}
  {{- end -}}
{{- end -}}
{{- if $rules }}

What is refused, in the API server's words:
{{ range $rules }}
- `{{ .at }}`: {{ template "text" .message }}
{{- end }}
{{- end -}}
{{- end -}}
