import type { DashboardPlan } from './dashboard.ts';

const OF = '{instance=~"$instance"}';
/** Prometheus tells these of itself as well. */
const OF_PROCESS = '{job="fest",instance=~"$instance"}';

export const SERVER: DashboardPlan = {
  uid: 'fest-server',
  title: 'fest: servers',
  description: 'Requests by class, the event loop, what is refused, WebSockets, logins.',
  variables: { instance: 'fest_server_info' },
  sections: [
    {
      title: 'Requests',
      panels: [
        {
          title: 'Answers a second',
          unit: 'reqps',
          about: 'All servers together, by class of routes.',
          look: 'stack',
          queries: [{ expr: 'class:fest_http_requests:rate1m', legend: '{{class}}' }],
        },
        {
          title: 'Of them, 500 and above',
          unit: 'percentunit',
          about: 'All servers together, by class of routes. Without refusals for overload.',
          queries: [{ expr: 'class:fest_http_errors:ratio1m', legend: '{{class}}' }],
        },
        {
          title: '99 % within',
          unit: 's',
          about: 'All servers together, by class of routes.',
          queries: [{ expr: 'class:fest_http_request_duration_seconds:p99_1m', legend: '{{class}}' }],
        },
        {
          title: 'Half within',
          unit: 's',
          about: 'All servers together, by class of routes.',
          queries: [{ expr: 'class:fest_http_request_duration_seconds:p50_1m', legend: '{{class}}' }],
        },
        {
          title: 'By status',
          unit: 'reqps',
          queries: [{ expr: `sum by (status) (rate(fest_http_requests_total${OF}[1m]))`, legend: '{{status}}' }],
        },
        {
          title: 'By server',
          unit: 'reqps',
          queries: [{ expr: `sum by (instance) (rate(fest_http_requests_total${OF}[1m]))`, legend: '{{instance}}' }],
        },
      ],
    },
    {
      title: 'Process and event loop',
      panels: [
        {
          title: 'Answering',
          unit: 'short',
          look: 'stat',
          words: { 0: 'no', 1: 'yes' },
          queries: [{ expr: 'up{job="fest",instance=~"$instance"}', legend: '{{instance}}' }],
        },
        {
          title: 'Leaving',
          unit: 'short',
          look: 'stat',
          words: { 0: 'no', 1: 'yes' },
          queries: [{ expr: `max by (instance) (fest_server_leaving${OF})`, legend: '{{instance}}' }],
        },
        {
          title: 'Starts in an hour',
          unit: 'short',
          look: 'stat',
          queries: [
            {
              expr: `max by (instance) (changes(process_start_time_seconds${OF_PROCESS}[1h]))`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Workers',
          unit: 'short',
          look: 'stat',
          about: 'Of servers that have some.',
          words: { 0: 'away', 1: 'there' },
          queries: [
            { expr: `min by (instance, worker) (fest_worker_up${OF})`, legend: '{{instance}}, worker {{worker}}' },
          ],
        },
        {
          title: 'Crashes of workers in an hour',
          unit: 'short',
          about: 'Of servers that have some.',
          queries: [
            {
              expr: `sum by (instance) (increase(fest_worker_crashes_total${OF}[1h]))`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Event loop busy',
          unit: 'percentunit',
          queries: [
            { expr: `max by (instance) (rate(fest_event_loop_busy_seconds_total${OF}[1m]))`, legend: '{{instance}}' },
          ],
        },
        {
          title: 'Event loop late',
          unit: 's',
          queries: [{ expr: `max by (instance) (fest_event_loop_delay_seconds${OF})`, legend: '{{instance}}' }],
        },
        {
          title: 'Processors used',
          unit: 'short',
          queries: [
            { expr: `sum by (instance) (rate(process_cpu_seconds_total${OF_PROCESS}[1m]))`, legend: '{{instance}}' },
          ],
        },
        {
          title: 'Memory',
          unit: 'bytes',
          queries: [
            {
              expr: `sum by (instance) (process_resident_memory_bytes${OF_PROCESS})`,
              legend: 'resident, {{instance}}',
            },
            { expr: `sum by (instance) (nodejs_heap_size_used_bytes${OF})`, legend: 'heap used, {{instance}}' },
          ],
        },
        {
          title: 'Time in garbage collection',
          unit: 'percentunit',
          queries: [
            { expr: `sum by (instance) (rate(nodejs_gc_duration_seconds_sum${OF}[1m]))`, legend: '{{instance}}' },
          ],
        },
        {
          title: 'Open files, of those allowed',
          unit: 'percentunit',
          queries: [
            {
              expr: `max by (instance) (process_open_fds${OF_PROCESS} / process_max_fds${OF_PROCESS})`,
              legend: '{{instance}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Load and what is refused',
      panels: [
        {
          title: 'Under way',
          unit: 'short',
          look: 'stack',
          queries: [{ expr: `sum by (class) (fest_requests_in_flight${OF})`, legend: '{{class}}' }],
        },
        {
          title: 'Requests whose body arrives',
          unit: 'short',
          queries: [{ expr: `sum by (instance) (fest_requests_arriving${OF})`, legend: '{{instance}}' }],
        },
        {
          title: 'Connections',
          unit: 'short',
          queries: [{ expr: `sum by (instance) (fest_connections${OF})`, legend: '{{instance}}' }],
        },
        {
          title: 'Shed a second, by class',
          unit: 'reqps',
          look: 'stack',
          queries: [{ expr: `sum by (class) (rate(fest_shed_requests_total${OF}[1m]))`, legend: '{{class}}' }],
        },
        {
          title: 'Shed a second, by reason',
          unit: 'reqps',
          look: 'stack',
          queries: [{ expr: `sum by (reason) (rate(fest_shed_requests_total${OF}[1m]))`, legend: '{{reason}}' }],
        },
        {
          title: 'Shed share',
          unit: 'percentunit',
          queries: [{ expr: `max by (class) (fest_shed_share${OF})`, legend: '{{class}}' }],
        },
        {
          title: 'Shed level',
          unit: 'short',
          about: 'Halvings of what is served: first of browsing, then of joins, polls and holds.',
          queries: [{ expr: `max by (instance) (fest_shed_level${OF})`, legend: '{{instance}}' }],
        },
        {
          title: 'Connections dropped a second',
          unit: 'cps',
          queries: [
            {
              expr: `sum by (instance) (rate(fest_connections_dropped_total${OF}[1m]))`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Rate limits a second',
          unit: 'reqps',
          queries: [{ expr: `sum by (limit) (rate(fest_rate_limited_total${OF}[1m]))`, legend: '{{limit}}' }],
        },
        {
          title: 'Proofs of work a second',
          unit: 'reqps',
          queries: [{ expr: `sum by (outcome) (rate(fest_join_challenges_total${OF}[1m]))`, legend: '{{outcome}}' }],
        },
      ],
    },
    {
      title: 'WebSockets and logins',
      panels: [
        {
          title: 'WebSockets',
          unit: 'short',
          queries: [{ expr: `sum by (instance) (fest_live_sockets${OF})`, legend: '{{instance}}' }],
        },
        {
          title: 'WebSockets ended and refused a second',
          unit: 'cps',
          queries: [
            { expr: `sum by (reason) (rate(fest_live_ended_total${OF}[1m]))`, legend: 'ended: {{reason}}' },
            { expr: `sum by (reason) (rate(fest_live_refused_total${OF}[1m]))`, legend: 'refused: {{reason}}' },
            { expr: `sum(rate(fest_live_skipped_states_total${OF}[1m]))`, legend: 'states skipped' },
          ],
        },
        {
          title: 'Broadcast: 99 % within',
          unit: 's',
          queries: [
            {
              expr: `histogram_quantile(0.99, sum by (instance, le) (rate(fest_live_broadcast_seconds_bucket${OF}[1m])))`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'Logins and sign-ups a second',
          unit: 'reqps',
          queries: [
            {
              expr: `sum by (action, outcome) (rate(fest_auth_attempts_total${OF}[1m]))`,
              legend: '{{action}}: {{outcome}}',
            },
          ],
        },
        {
          title: 'Passwords waiting',
          unit: 'short',
          queries: [{ expr: `sum by (instance) (fest_password_hashes_waiting${OF})`, legend: '{{instance}}' }],
        },
        {
          title: 'Passwords a second',
          unit: 'cps',
          queries: [{ expr: `sum by (outcome) (rate(fest_password_hashes_total${OF}[1m]))`, legend: '{{outcome}}' }],
        },
      ],
    },
  ],
};
