/** What Helm says after an installation. */
import { ModelBooster } from '#api/model-booster.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import { nameOf } from './names.ts'

export const notes = `Fairlead {{ .Chart.AppVersion }} is installed in {{ .Release.Namespace }}.
{{- if not (.Capabilities.APIVersions.Has "${apiVersionOf(ModelBooster)}/${ModelBooster.kind}") }}

The kinds of Fairlead are not in this cluster yet, and until they are, nothing is served:
  helm upgrade --install fairlead-crds <charts>/fairlead-crds
{{- end }}
{{- if .Values.namespaces }}

It watches {{ join ", " .Values.namespaces }}.
{{- end }}

See whether it runs:
  kubectl --namespace {{ .Release.Namespace }} get deployments,pods
Ask the router, once a model is served:
  kubectl --namespace {{ .Release.Namespace }} port-forward service/${nameOf('router')} 8080:{{ .Values.router.service.port }}
  curl http://127.0.0.1:8080/v1/models
`
