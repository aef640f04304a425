/** Of what watches the servers. */
import type { Symptom } from './symptom.ts';

/** There are two servers, so that each side of it has two series for one: Prometheus takes the rule and cannot evaluate it. */
const IMPOSSIBLE_RULES = `groups:
  - name: impossible
    rules:
      - record: impossible
        expr: up{job="fest"} * on (job) up{job="fest"}
`;

export const PROMETHEUS_SYMPTOMS: readonly Symptom[] = [
  {
    what: 'Prometheus runs, and its rules are evaluated',
    alerts: ['Watchdog'],
    withinSeconds: 30,
    fromStart: true,
    cause: async () => async () => undefined,
  },
  {
    what: 'a rule is added that joins two series to two',
    alerts: ['PrometheusRuleFailures'],
    withinSeconds: 60,
    cause: async ({ prometheus }) => prometheus.addRules('impossible', IMPOSSIBLE_RULES),
  },
  {
    what: 'the Alertmanager, which was told of alerts, hangs (SIGSTOP)',
    alerts: ['PrometheusNotificationsDropped'],
    // Alerts are told again once a minute, and it has to have been known for two.
    withinSeconds: 200,
    missing: ({ alertmanager }) => (alertmanager === undefined ? 'there is no Alertmanager' : undefined),
    async cause({ alertmanager }) {
      if (alertmanager === undefined || !(await alertmanager.alerts()).has('Watchdog')) {
        throw new Error('the Alertmanager was not told that the Watchdog fires');
      }
      return alertmanager.freeze();
    },
  },
];
