import type { DashboardPlan } from './dashboard.ts';

export const SALE: DashboardPlan = {
  uid: 'fest-sale',
  title: 'fest: sale',
  description: 'Does it move: the line, the stock, the money.',
  variables: { sale: 'fest_sale_phase' },
  sections: [
    {
      title: 'At a glance',
      panels: [
        {
          title: 'Phase',
          unit: 'short',
          look: 'stat',
          named: true,
          queries: [
            { expr: 'max by (sale, phase) (fest_sale_phase{sale=~"$sale"})', legend: 'sale {{sale}}: {{phase}}' },
          ],
        },
        {
          title: 'Waiting',
          unit: 'short',
          look: 'stat',
          queries: [{ expr: 'sale:fest_sale_waiting_buyers:max{sale=~"$sale"}', legend: 'sale {{sale}}' }],
        },
        {
          title: 'Left',
          unit: 'short',
          look: 'stat',
          queries: [{ expr: 'sale:fest_sale_tickets:avg{sale=~"$sale",state="available"}', legend: 'sale {{sale}}' }],
        },
        {
          title: 'Sold',
          unit: 'short',
          look: 'stat',
          queries: [{ expr: 'sale:fest_sale_tickets:avg{sale=~"$sale",state="sold"}', legend: 'sale {{sale}}' }],
        },
        {
          title: 'Epoch',
          unit: 'short',
          look: 'stat',
          about: 'Grows when the state of a sale was built anew.',
          queries: [{ expr: 'max by (sale) (fest_sale_epoch{sale=~"$sale"})', legend: 'sale {{sale}}' }],
        },
        {
          title: 'Alerts that fire',
          unit: 'short',
          look: 'stat',
          queries: [
            { expr: 'count(ALERTS{alertstate="firing",alertname!="Watchdog"}) or vector(0)', legend: 'firing' },
          ],
        },
      ],
    },
    {
      title: 'Line and stock',
      panels: [
        {
          title: 'Tickets',
          unit: 'short',
          look: 'stack',
          queries: [{ expr: 'sum by (state) (sale:fest_sale_tickets:avg{sale=~"$sale"})', legend: '{{state}}' }],
        },
        {
          title: 'The line',
          unit: 'short',
          queries: [
            { expr: 'sale:fest_sale_waiting_buyers:max{sale=~"$sale"}', legend: 'waiting, sale {{sale}}' },
            { expr: 'max by (sale) (fest_sale_queue_number{sale=~"$sale"})', legend: 'drawn, sale {{sale}}' },
            { expr: 'sale:fest_sale_serving_number:max{sale=~"$sale"}', legend: 'served, sale {{sale}}' },
          ],
        },
        {
          title: 'Admitted a second',
          unit: 'cps',
          about: 'What the line moves by, what the admission allows at present, and what the operator has set.',
          queries: [
            {
              expr: 'clamp_min(max by (sale) (deriv(fest_sale_serving_number{sale=~"$sale"}[1m])), 0)',
              legend: 'admitted, sale {{sale}}',
            },
            { expr: 'max by (sale) (fest_admission_rate_per_second{sale=~"$sale"})', legend: 'allowed, sale {{sale}}' },
            { expr: 'max by (sale) (fest_sale_admission_per_second{sale=~"$sale"})', legend: 'set, sale {{sale}}' },
          ],
        },
        {
          title: 'Inside',
          unit: 'short',
          queries: [
            { expr: 'max by (sale) (fest_sale_active_buyers{sale=~"$sale"})', legend: 'hold or pay, sale {{sale}}' },
            {
              expr: 'max by (sale) (fest_sale_pending_buyers{sale=~"$sale"})',
              legend: 'admitted, not come yet, sale {{sale}}',
            },
            { expr: 'max by (sale) (fest_sale_active_buyers_max{sale=~"$sale"})', legend: 'at most, sale {{sale}}' },
          ],
        },
        {
          title: 'What limits the admission',
          unit: 'short',
          look: 'stack',
          queries: [
            {
              expr: 'max by (sale, reason) (fest_admission_limit{sale=~"$sale"})',
              legend: '{{reason}}, sale {{sale}}',
            },
          ],
        },
        {
          title: 'Of those admitted, expected to come',
          unit: 'percentunit',
          queries: [{ expr: 'max by (sale) (fest_admission_show_rate{sale=~"$sale"})', legend: 'sale {{sale}}' }],
        },
      ],
    },
    {
      title: 'Orders and money',
      panels: [
        {
          title: 'Orders a second',
          unit: 'cps',
          queries: [{ expr: 'sale:fest_orders:rate1m{sale=~"$sale"}', legend: 'sale {{sale}}' }],
        },
        {
          title: 'Payments a second',
          unit: 'cps',
          queries: [
            { expr: 'sum by (outcome) (rate(fest_payments_total[1m]))', legend: '{{outcome}}' },
            { expr: 'sum(rate(fest_payments_started_total[1m]))', legend: 'started' },
          ],
        },
        {
          title: 'Payments under way',
          unit: 'short',
          queries: [
            { expr: 'sum(fest_payments_in_flight)', legend: 'in flight' },
            { expr: 'sum(fest_payments_captured)', legend: 'captured, no order yet' },
          ],
        },
        {
          title: 'The oldest payment',
          unit: 's',
          about:
            'Captured without an order for more than 60 s wakes somebody, and so does one that is in flight for more than 120 s.',
          queries: [
            { expr: 'max(fest_payments_captured_oldest_seconds)', legend: 'captured, no order yet' },
            { expr: 'max(fest_payments_oldest_seconds)', legend: 'in flight' },
          ],
        },
        {
          title: 'From captured to durable',
          unit: 's',
          queries: [
            {
              expr: 'histogram_quantile(0.5, sum by (le) (rate(fest_order_acknowledgement_seconds_bucket[1m])))',
              legend: 'half within',
            },
            {
              expr: 'histogram_quantile(0.99, sum by (le) (rate(fest_order_acknowledgement_seconds_bucket[1m])))',
              legend: '99 % within',
            },
          ],
        },
        {
          title: 'Rebuilds',
          unit: 'short',
          queries: [
            { expr: 'max(fest_sale_rebuilds_pending)', legend: 'under way' },
            { expr: 'sum(fest_sale_rebuilds_total)', legend: 'finished' },
          ],
        },
      ],
    },
    {
      title: 'What people are told',
      panels: [
        {
          title: 'Waited, as a part of what they were told',
          unit: 'percentunit',
          about: 'The median, of waits of 10 s and more; 100 % is right.',
          queries: [{ expr: 'fest:wait_to_estimate_ratio:p50_10m', legend: 'median of 10 min' }],
        },
        {
          title: 'Turns a second, of one number in 64',
          unit: 'cps',
          look: 'stack',
          queries: [{ expr: 'sum by (outcome) (rate(fest_wait_estimates_total[5m]))', legend: '{{outcome}}' }],
        },
        {
          title: 'Problems a second',
          unit: 'reqps',
          queries: [{ expr: 'sum by (code) (rate(fest_problems_total[1m])) > 0', legend: '{{code}}' }],
        },
      ],
    },
  ],
};
