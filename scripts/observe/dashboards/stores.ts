import type { DashboardPlan, Query } from './dashboard.ts';

const quantiles = (bucket: string, by: string): readonly Query[] =>
  [0.5, 0.99].map((share) => ({
    expr: `histogram_quantile(${share}, sum by (${by}, le) (rate(${bucket}{instance=~"$instance"}[1m])))`,
    legend: `${share * 100} % within, {{${by}}}`,
  }));
const byInstance = (expr: string): readonly Query[] => [{ expr, legend: '{{instance}}' }];
const OF = '{instance=~"$instance"}';

export const STORES: DashboardPlan = {
  uid: 'fest-stores',
  title: 'fest: stores',
  description: 'The order log and its disk, the way into MySQL, Redis, the payment gateway, the clocks.',
  variables: { instance: 'fest_server_info' },
  sections: [
    {
      title: 'Order log',
      panels: [
        {
          title: 'fdatasync',
          unit: 's',
          queries: quantiles('fest_order_log_fsync_duration_seconds_bucket', 'instance'),
        },
        {
          title: 'Records in a batch, on average',
          unit: 'short',
          queries: byInstance(
            `sum by (instance) (rate(fest_order_log_batch_records_sum${OF}[1m])) / sum by (instance) (rate(fest_order_log_batch_records_count${OF}[1m]))`,
          ),
        },
        {
          title: 'Records a second',
          unit: 'cps',
          queries: byInstance(`sum by (instance) (rate(fest_order_log_records_total${OF}[1m]))`),
        },
        {
          title: 'Written',
          unit: 'Bps',
          queries: byInstance(`sum by (instance) (rate(fest_order_log_written_bytes_total${OF}[1m]))`),
        },
        {
          title: 'Waiting to become durable',
          unit: 'short',
          queries: [
            { expr: `sum by (instance) (fest_order_log_pending_records${OF})`, legend: 'records, {{instance}}' },
          ],
        },
        {
          title: 'Bytes that wait',
          unit: 'bytes',
          queries: byInstance(`sum by (instance) (fest_order_log_pending_bytes${OF})`),
        },
        {
          title: 'Room on the disk',
          unit: 'percentunit',
          queries: [
            {
              expr: `min by (instance) (fest_order_log_disk_free_bytes${OF} / fest_order_log_disk_size_bytes${OF})`,
              legend: '{{instance}}',
            },
          ],
        },
        {
          title: 'No room for payments',
          unit: 'short',
          about: '1: the disk is full, and no payment is started there.',
          queries: byInstance(`max by (instance) (fest_order_log_out_of_space${OF})`),
        },
        {
          title: 'Checkpoints in 10 minutes',
          unit: 'short',
          queries: [
            {
              expr: `sum by (instance) (increase(fest_order_log_checkpoints_total${OF}[10m]))`,
              legend: 'written, {{instance}}',
            },
            {
              expr: `sum by (instance) (increase(fest_order_log_checkpoint_failures_total${OF}[10m]))`,
              legend: 'refused by the disk, {{instance}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Into MySQL',
      panels: [
        { title: 'Behind the log', unit: 'short', queries: byInstance(`instance:fest_applier_lag_records:sum${OF}`) },
        {
          title: 'Records a second',
          unit: 'cps',
          queries: byInstance(`sum by (instance) (rate(fest_applier_records_total${OF}[1m]))`),
        },
        {
          title: 'Records in a batch, on average',
          unit: 'short',
          queries: byInstance(
            `sum by (instance) (rate(fest_applier_records_total${OF}[1m])) / sum by (instance) (rate(fest_applier_batches_total${OF}[1m]))`,
          ),
        },
        {
          title: 'Tried again, a second',
          unit: 'cps',
          queries: byInstance(`sum by (instance) (rate(fest_applier_retries_total${OF}[1m]))`),
        },
        {
          title: 'Refused records',
          unit: 'short',
          queries: byInstance(`sum by (instance) (fest_applier_failed_records${OF})`),
        },
      ],
    },
    {
      title: 'Redis, MySQL, clocks',
      panels: [
        {
          title: 'Answering',
          unit: 'short',
          about: '1: yes. 0: no answer to the last question, of which there is one a second.',
          queries: [{ expr: `min by (store, instance) (fest_store_up${OF})`, legend: '{{store}}, {{instance}}' }],
        },
        {
          title: 'The smallest question takes',
          unit: 's',
          queries: [
            { expr: `max by (store, instance) (fest_store_latency_seconds${OF})`, legend: '{{store}}, {{instance}}' },
          ],
        },
        {
          title: 'Redis commands without an answer',
          unit: 'short',
          queries: byInstance(`sum by (instance) (fest_redis_commands_waiting${OF})`),
        },
        {
          title: 'Age of what is told of a sale',
          unit: 's',
          queries: byInstance(`max by (instance) (fest_sale_reading_age_seconds${OF})`),
        },
        {
          title: 'Clocks ahead by',
          unit: 's',
          signed: true,
          queries: [
            { expr: `max by (source, instance) (fest_clock_offset_seconds${OF})`, legend: '{{source}}, {{instance}}' },
          ],
        },
      ],
    },
    {
      title: 'Payment gateway',
      panels: [
        {
          title: 'Answers a second',
          unit: 'reqps',
          queries: [
            {
              expr: `sum by (operation, outcome) (rate(fest_gateway_requests_total${OF}[1m]))`,
              legend: '{{operation}}: {{outcome}}',
            },
          ],
        },
        {
          title: 'Time to answer',
          unit: 's',
          queries: quantiles('fest_gateway_request_duration_seconds_bucket', 'operation'),
        },
      ],
    },
  ],
};
